# vdso.cmake: links shim/vdso into a shared object and puts it in the kernel. Included by
# shim/CMakeLists.txt before it makes its target: adds to SHIM_SOURCES.
set(VDSO_IMAGE ${CMAKE_CURRENT_BINARY_DIR}/vdso.so)
add_custom_command(
	OUTPUT ${VDSO_IMAGE}
	COMMAND ${CMAKE_C_COMPILER} -O2 -std=gnu11 -I${CMAKE_SOURCE_DIR} -ffreestanding -nostdinc
		-isystem ${COMPILER_HEADERS} -fPIC -fno-stack-protector -fcf-protection=none
		-fno-asynchronous-unwind-tables -mgeneral-regs-only -Wall -Wextra -Wconversion
		-Wshadow -Werror -shared -nostdlib -Wl,-soname,linux-vdso.so.1
		-Wl,--hash-style=both -Wl,-Bsymbolic -Wl,--build-id=none -Wl,-z,max-page-size=4096
		-Wl,-z,noexecstack -Wl,-z,defs -Wl,--strip-all -T ${CMAKE_CURRENT_SOURCE_DIR}/vdso/vdso.ld
		${CMAKE_CURRENT_SOURCE_DIR}/vdso/vdso.c -o ${VDSO_IMAGE}
	DEPENDS vdso/vdso.c vdso/vdso.ld vdso/data.h arch/x86_64/layout.h
	COMMENT "Linking the vDSO" VERBATIM)
set_source_files_properties(vdso/image.S PROPERTIES OBJECT_DEPENDS ${VDSO_IMAGE}
	COMPILE_DEFINITIONS "VDSO_IMAGE=\"${VDSO_IMAGE}\"")
list(APPEND SHIM_SOURCES vdso/image.S)
