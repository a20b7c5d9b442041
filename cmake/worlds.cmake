# worlds.cmake: how code of each world is compiled. A target links exactly one of these
# interface libraries; ARCHITECTURE.md says what a world may include and use.

add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow
	-Wmissing-prototypes -Wvla -Werror>)

# Hosted code: the elfpack command, unit tests, fuzzers. Headers are included from the
# top of the tree: #include "imgfmt/bundle.h".
add_library(world_host INTERFACE)
target_include_directories(world_host INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(world_host INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_link_libraries(world_host INTERFACE warnings)
if(ELFPACK_SANITIZE)
	target_compile_options(world_host INTERFACE -fsanitize=address,undefined
		-fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	target_link_options(world_host INTERFACE -fsanitize=address,undefined)
endif()
if(ELFPACK_FUZZ)
	target_compile_options(world_host INTERFACE -fsanitize=fuzzer-no-link,address,undefined
		-fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	target_link_options(world_host INTERFACE -fsanitize=address,undefined)
endif()

# Ring 3 guest code (front): a static Linux program.
add_library(world_guest INTERFACE)
target_include_directories(world_guest INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(world_guest INTERFACE _GNU_SOURCE)
target_link_libraries(world_guest INTERFACE warnings)

# Ring 0 code. No red zone: interrupts push on the running stack. General registers only:
# vector state belongs to ring 3 and is never live here. No strict aliasing: packet and
# on-disk structures are overlaid on buffers.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
	OUTPUT_VARIABLE COMPILER_HEADERS OUTPUT_STRIP_TRAILING_WHITESPACE)
add_library(world_kernel INTERFACE)
target_include_directories(world_kernel INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(world_kernel INTERFACE ELFPACK_KERNEL=1)
target_compile_options(world_kernel INTERFACE
	$<$<COMPILE_LANGUAGE:C>:-ffreestanding -nostdinc -isystem
	${COMPILER_HEADERS} -fno-strict-aliasing -fno-stack-protector
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fcf-protection=none
	-fno-common -ffunction-sections -fdata-sections>
	-fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only)
target_link_libraries(world_kernel INTERFACE warnings)
