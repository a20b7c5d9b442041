# kernel_link.cmake: elfpack_link_kernel(NAME OBJECTS STRIPPED): links the kernel twice: the
# first link gives the addresses of its functions, from which the table for back traces is
# made; the second holds that table, in .symbols, where it moves no text.
set(KERNEL_LINK_DIR ${CMAKE_CURRENT_LIST_DIR})

function(elfpack_link_kernel name objects stripped)
	set(arch ${CMAKE_SOURCE_DIR}/shim/arch/x86_64)
	set(script ${CMAKE_CURRENT_BINARY_DIR}/${name}.lds)
	set(first ${CMAKE_CURRENT_BINARY_DIR}/${name}_without_symbols.elf)
	set(table ${CMAKE_CURRENT_BINARY_DIR}/${name}_symbols.S)
	set(whole ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
	set(link ${CMAKE_C_COMPILER} -nostdlib -static -no-pie -Wl,-T,${script}
		-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096
		-Wl,-z,noexecstack -Wl,--fatal-warnings)

	add_custom_command(OUTPUT ${script}
		COMMAND ${CMAKE_C_COMPILER} -E -P -x assembler-with-cpp -I${CMAKE_SOURCE_DIR}
			-include ${arch}/layout.h ${arch}/shim.ld -o ${script}
		DEPENDS ${arch}/shim.ld ${arch}/layout.h ${arch}/address_map.h VERBATIM)
	add_custom_command(OUTPUT ${first}
		COMMAND ${link} $<TARGET_OBJECTS:${objects}> -o ${first}
		DEPENDS ${script} ${objects} $<TARGET_OBJECTS:${objects}>
		COMMAND_EXPAND_LISTS VERBATIM)
	add_custom_command(OUTPUT ${table}
		COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DELF=${first} -DOUT=${table}
			-P ${KERNEL_LINK_DIR}/kernel_symbols.cmake
		DEPENDS ${first} ${KERNEL_LINK_DIR}/kernel_symbols.cmake VERBATIM)
	add_custom_command(OUTPUT ${whole} ${stripped}
		COMMAND ${link} $<TARGET_OBJECTS:${objects}> ${table} -o ${whole}
		COMMAND ${CMAKE_OBJCOPY} --strip-all ${whole} ${stripped}
		DEPENDS ${table} COMMENT "Linking ${name}.elf"
		COMMAND_EXPAND_LISTS VERBATIM)
	add_custom_target(${name} ALL DEPENDS ${whole} ${stripped})
endfunction()
