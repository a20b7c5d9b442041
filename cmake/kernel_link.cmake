# kernel_link.cmake: elfpack_link_kernel(NAME OBJECTS STRIPPED): links the kernel twice: of the
# first link kernel_tables.c makes the tables of its functions and of what changes when it
# moves; the second holds them, where they move no text.
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
add_executable(kernel_tables ${CMAKE_CURRENT_LIST_DIR}/kernel_tables.c)
set_target_properties(kernel_tables PROPERTIES
	RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(kernel_tables PRIVATE world_host PkgConfig::LIBELF)

function(elfpack_link_kernel name objects stripped)
	set(arch ${CMAKE_SOURCE_DIR}/shim/arch/x86_64)
	set(script ${CMAKE_CURRENT_BINARY_DIR}/${name}.lds)
	set(first ${CMAKE_CURRENT_BINARY_DIR}/${name}_without_tables.elf)
	set(table ${CMAKE_CURRENT_BINARY_DIR}/${name}_tables.S)
	set(whole ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
	set(link ${CMAKE_C_COMPILER} -nostdlib -static -no-pie -Wl,-T,${script}
		-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096
		-Wl,-z,noexecstack -Wl,--fatal-warnings -Wl,--emit-relocs)

	add_custom_command(OUTPUT ${script}
		COMMAND ${CMAKE_C_COMPILER} -E -P -x assembler-with-cpp -I${CMAKE_SOURCE_DIR}
			-include ${arch}/layout.h ${arch}/shim.ld -o ${script}
		DEPENDS ${arch}/shim.ld ${arch}/layout.h ${arch}/address_map.h VERBATIM)
	add_custom_command(OUTPUT ${first}
		COMMAND ${link} $<TARGET_OBJECTS:${objects}> -o ${first}
		DEPENDS ${script} ${objects} $<TARGET_OBJECTS:${objects}>
		COMMAND_EXPAND_LISTS VERBATIM)
	add_custom_command(OUTPUT ${table}
		COMMAND kernel_tables ${first} > ${table}
		DEPENDS ${first} kernel_tables VERBATIM)
	add_custom_command(OUTPUT ${whole} ${stripped}
		COMMAND ${link} $<TARGET_OBJECTS:${objects}> ${table} -o ${whole}
		COMMAND ${CMAKE_OBJCOPY} --strip-all ${whole} ${stripped}
		DEPENDS ${table} COMMENT "Linking ${name}.elf"
		COMMAND_EXPAND_LISTS VERBATIM)
	add_custom_target(${name} ALL DEPENDS ${whole} ${stripped})
endfunction()
