# The hosted form of the network stack, and of what an ENA writes, for unit tests and fuzzers:
# see stack.h and ena_ring.h.
add_library(net_pure STATIC
	${CMAKE_CURRENT_LIST_DIR}/arp.c
	${CMAKE_CURRENT_LIST_DIR}/checksum.c
	${CMAKE_CURRENT_LIST_DIR}/dhcp.c
	${CMAKE_CURRENT_LIST_DIR}/early.c
	${CMAKE_CURRENT_LIST_DIR}/icmp.c
	${CMAKE_CURRENT_LIST_DIR}/ip.c
	${CMAKE_CURRENT_LIST_DIR}/stack.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_ack.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_cookie.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_input.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_output.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_receive.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_recovery.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_ring.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_table.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_timer.c
	${CMAKE_CURRENT_LIST_DIR}/tcp_user.c
	${CMAKE_SOURCE_DIR}/shim/dev/ena_ring.c)
target_link_libraries(net_pure PUBLIC world_host)
