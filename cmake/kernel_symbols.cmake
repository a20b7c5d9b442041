# kernel_symbols.cmake: writes OUT, an assembly file with the functions of ELF sorted by
# address, as shim/arch/x86_64/panic.c reads them: count, 0, rows of (address from
# kernel_start, byte of the name in the section), names.
execute_process(COMMAND ${NM} --numeric-sort --defined-only ${ELF}
	OUTPUT_VARIABLE listing RESULT_VARIABLE failed)
if(failed)
	message(FATAL_ERROR "${NM} ${ELF} failed")
endif()
string(REGEX MATCHALL "[0-9a-f]+ [tT] [A-Za-z_][A-Za-z0-9_.]*" rows "${listing}")
string(REGEX MATCH "([0-9a-f]+) [A-Za-z] kernel_start\n" ignored "${listing}")
set(base ${CMAKE_MATCH_1})
set(table "")
set(names "")
set(count 0)
set(last "")
foreach(row IN LISTS rows)
	string(REGEX MATCH "^([0-9a-f]+) . (.*)$" ignored "${row}")
	if(CMAKE_MATCH_1 STREQUAL last)
		continue()
	endif()
	set(last ${CMAKE_MATCH_1})
	string(APPEND table "\t.long 0x${CMAKE_MATCH_1} - 0x${base}, name${count} - table\n")
	string(APPEND names "name${count}: .asciz \"${CMAKE_MATCH_2}\"\n")
	math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "\t.section .symbols, \"a\"\n\t.balign 8\ntable:\t.long ${count}, 0\n"
	"${table}${names}\t.section .note.GNU-stack, \"\", @progbits\n")
