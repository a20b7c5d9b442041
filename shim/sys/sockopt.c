/* sys/sockopt.c: getsockopt and setsockopt. What every socket has is answered here, the
 * rest by its family. */
#include "shim/lib/string.h"
#include "shim/sys/socketio.h"

#define OPTION_MAX 256u
enum { OPTION_SECOND_NS = 1000000000, OPTION_MICROSECOND_NS = 1000 };

static int timeout_in(uint64_t *timeout_ns, const uint8_t *value, uint32_t size)
{
	int64_t pair[2];
	if (size < sizeof(pair))
		return -EINVAL;
	memcpy(pair, value, sizeof(pair));
	if (pair[1] < 0 || pair[1] >= 1000000)
		return -EDOM;
	if (pair[0] < 0 || pair[0] > INT64_MAX / OPTION_SECOND_NS / 2)
		*timeout_ns = 0;
	else
		*timeout_ns = (uint64_t)pair[0] * OPTION_SECOND_NS +
			      (uint64_t)pair[1] * OPTION_MICROSECOND_NS;
	return 0;
}

static int option_set(struct socket *socket, int level, int option, const uint8_t *value,
		      uint32_t size)
{
	if (level == SOL_SOCKET && option == SO_RCVTIMEO)
		return timeout_in(&socket->receive_timeout_ns, value, size);
	if (level == SOL_SOCKET && option == SO_SNDTIMEO)
		return timeout_in(&socket->send_timeout_ns, value, size);
	if (!socket->ops->option_set)
		return -ENOPROTOOPT;
	return socket->ops->option_set(socket, level, option, value, size);
}

long sys_setsockopt(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	uint8_t value[OPTION_MAX];
	int64_t size = (int32_t)a->arg[4];
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	if (size < 0)
		rc = -EINVAL;
	if (size > (int64_t)sizeof(value))
		size = sizeof(value);
	if (rc == 0)
		rc = copy_from_user(value, arg_user(a, 3), (size_t)size);
	if (rc == 0)
		rc = option_set(socket, (int)a->arg[1], (int)a->arg[2], value,
				(uint32_t)size);
	file_put(file);
	return rc;
}

static void timeout_out(uint64_t timeout_ns, uint8_t *value, uint32_t *size)
{
	int64_t pair[2] = {
		(int64_t)(timeout_ns / OPTION_SECOND_NS),
		(int64_t)(timeout_ns % OPTION_SECOND_NS / OPTION_MICROSECOND_NS)};
	if (*size > sizeof(pair))
		*size = sizeof(pair);
	memcpy(value, pair, *size);
}

static int option_get(struct socket *socket, int level, int option, uint8_t *value,
		      uint32_t *size)
{
	int32_t number;
	if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
		timeout_out(option == SO_RCVTIMEO ? socket->receive_timeout_ns
						  : socket->send_timeout_ns,
			    value, size);
		return 0;
	}
	if (level == SOL_SOCKET && option == SO_TYPE)
		number = socket->type;
	else if (level == SOL_SOCKET && option == SO_DOMAIN)
		number = socket->family;
	else if (level == SOL_SOCKET && option == SO_PROTOCOL)
		number = socket->protocol;
	else
		return socket->ops->option_get
			       ? socket->ops->option_get(socket, level, option, value,
							 size)
			       : -ENOPROTOOPT;
	if (*size > sizeof(number))
		*size = sizeof(number);
	memcpy(value, &number, *size);
	return 0;
}

long sys_getsockopt(const struct sysargs *a)
{
	struct file *file;
	struct socket *socket;
	uint8_t value[OPTION_MAX] = {0};
	int32_t room;
	int rc = socket_of(a->arg[0], &file, &socket);
	if (rc < 0)
		return rc;
	rc = copy_from_user(&room, arg_user(a, 4), sizeof(room));
	if (rc == 0 && room < 0)
		rc = -EINVAL;
	uint32_t size = rc < 0                        ? 0
			: (uint32_t)room < OPTION_MAX ? (uint32_t)room
						      : OPTION_MAX;
	if (rc == 0)
		rc = option_get(socket, (int)a->arg[1], (int)a->arg[2], value, &size);
	if (rc == 0)
		rc = copy_to_user(arg_user(a, 3), value, size);
	if (rc == 0)
		rc = copy_to_user(arg_user(a, 4), &size, sizeof(size));
	file_put(file);
	return rc;
}
