/* sys/socketio.h: what the socket calls share among themselves: descriptors to sockets,
 * addresses from and to the program. */
#ifndef SHIM_SYS_SOCKETIO_H
#define SHIM_SYS_SOCKETIO_H

#include "shim/net/socket.h"
#include "shim/sys/sys.h"

/* A descriptor's socket, with a reference to its file. -EBADF, -ENOTSOCK. */
int socket_of(uint64_t fd, struct file **file, struct socket **socket);
int socket_address_in(struct socket_address *address, uaddr from, uint64_t size);
/* As accept(2): at most the room that *size_at says; then *size_at is the whole size. */
int socket_address_out(uaddr to, uaddr size_at, const struct socket_address *address);

#endif
