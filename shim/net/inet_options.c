/* inet_options.c: setsockopt and getsockopt of TCP sockets. */
#include "shim/net/inet_options.h"

#include "shim/lib/errno.h"
#include "shim/lib/list.h"
#include "shim/lib/string.h"

/* Linux netinet/tcp.h */
enum {
	TCP_NODELAY = 1,
	TCP_MAXSEG = 2,
	TCP_CORK = 3,
	TCP_KEEPIDLE = 4,
	TCP_KEEPINTVL = 5,
	TCP_KEEPCNT = 6,
	TCP_DEFER_ACCEPT = 9,
	TCP_INFO = 11,
	TCP_QUICKACK = 12,
	TCP_USER_TIMEOUT = 18
};

/* Options that are one number of tcp.h. */
static const struct {
	int level, name;
	enum tcp_option option;
	bool is_flag,
		doubled; /* doubled: Linux shows twice what was asked for (socket(7)) */
} rows[] = {
	{SOL_SOCKET, SO_KEEPALIVE, TCP_OPTION_KEEPALIVE, true, false},
	{SOL_SOCKET, SO_SNDBUF, TCP_OPTION_SEND_BUFFER, false, true},
	{SOL_SOCKET, SO_RCVBUF, TCP_OPTION_RECEIVE_BUFFER, false, true},
	{IPPROTO_TCP, TCP_NODELAY, TCP_OPTION_NODELAY, true, false},
	{IPPROTO_TCP, TCP_MAXSEG, TCP_OPTION_MSS, false, false},
	{IPPROTO_TCP, TCP_CORK, TCP_OPTION_CORK, true, false},
	{IPPROTO_TCP, TCP_KEEPIDLE, TCP_OPTION_KEEP_IDLE_S, false, false},
	{IPPROTO_TCP, TCP_KEEPINTVL, TCP_OPTION_KEEP_INTERVAL_S, false, false},
	{IPPROTO_TCP, TCP_KEEPCNT, TCP_OPTION_KEEP_COUNT, false, false},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_OPTION_USER_TIMEOUT_MS, false, false},
};

static int row_find(int level, int name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].level == level && rows[i].name == name)
			return (int)i;
	return -1;
}

static int row_set(struct inet *inet, int row, uint32_t value)
{
	enum tcp_option option = rows[row].option;
	if (rows[row].is_flag)
		value = value != 0;
	if (inet->tcp)
		return tcp_option_set(inet->tcp, option, value);
	inet->option[option] = value;
	inet->options_set |= 1u << option;
	return 0;
}

static uint32_t row_get(const struct inet *inet, int row)
{
	enum tcp_option option = rows[row].option;
	uint32_t value =
		inet->tcp ? tcp_option_get(inet->tcp, option) : inet->option[option];
	return rows[row].doubled ? value * 2 : value;
}

void inet_options_inherit(struct inet *accepted, const struct inet *listener)
{
	accepted->linger_s = listener->linger_s;
	for (unsigned i = 0; i < INET_OPTION_COUNT; i++)
		if (listener->options_set & 1u << i)
			tcp_option_set(accepted->tcp, (enum tcp_option)i,
				       listener->option[i]);
}

static int linger_set(struct inet *inet, const void *value, uint32_t size)
{
	int32_t pair[2];
	if (size < sizeof(pair))
		return -EINVAL;
	memcpy(pair, value, sizeof(pair));
	inet->linger_s = pair[0] ? pair[1] : -1;
	return 0;
}

int inet_option_set(struct socket *socket, int level, int option, const void *value,
		    uint32_t size)
{
	struct inet *inet = container_of(socket, struct inet, socket);
	if (level == SOL_SOCKET && option == SO_LINGER)
		return linger_set(inet, value, size);
	int32_t number;
	if (size < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	int row = row_find(level, option);
	if (row >= 0)
		return number < 0 ? -EINVAL : row_set(inet, row, (uint32_t)number);
	if (level == SOL_SOCKET && option == SO_REUSEADDR)
		inet->reuse_address = number != 0;
	else if (level == SOL_SOCKET && option == SO_REUSEPORT)
		inet->reuse_port = number != 0;
	else if (level == IPPROTO_TCP &&
		 (option == TCP_QUICKACK || option == TCP_DEFER_ACCEPT))
		return 0; /* hints */
	else if (level == IPPROTO_IP)
		return 0; /* type of service and the like: hints too */
	else
		return -ENOPROTOOPT;
	return 0;
}

/* The first bytes of struct tcp_info, as far as Linux 2.6 had it (linux/tcp.h). */
static void info_get(const struct inet *inet, void *value, uint32_t *size)
{
	struct tcp_status status = {.state = inet->listener ? 10 : 7};
	if (inet->tcp)
		status = tcp_status(inet->tcp);
	uint32_t info[26] = {status.state};
	info[2] = status.rto_us;
	info[4] = status.mss;
	info[5] = status.mss;
	info[15] = 1500;
	info[17] = status.rtt_us;
	info[18] = status.rttvar_us;
	info[20] = status.mss ? status.congestion_bytes / status.mss : 0;
	info[21] = status.mss;
	info[25] = status.retransmits;
	if (*size > sizeof(info))
		*size = sizeof(info);
	memcpy(value, info, *size);
}

int inet_option_get(struct socket *socket, int level, int option, void *value,
		    uint32_t *size)
{
	struct inet *inet = container_of(socket, struct inet, socket);
	if (level == IPPROTO_TCP && option == TCP_INFO) {
		info_get(inet, value, size);
		return 0;
	}
	int32_t numbers[2] = {0, 0};
	uint32_t count = 1;
	int row = row_find(level, option);
	if (row >= 0) {
		numbers[0] = (int32_t)row_get(inet, row);
	} else if (level == SOL_SOCKET && option == SO_ERROR) {
		numbers[0] = inet->tcp ? tcp_error_take(inet->tcp) : 0;
	} else if (level == SOL_SOCKET && option == SO_ACCEPTCONN) {
		numbers[0] = inet->listener != NULL;
	} else if (level == SOL_SOCKET && option == SO_REUSEADDR) {
		numbers[0] = inet->reuse_address;
	} else if (level == SOL_SOCKET && option == SO_REUSEPORT) {
		numbers[0] = inet->reuse_port;
	} else if (level == SOL_SOCKET && option == SO_LINGER) {
		numbers[0] = inet->linger_s >= 0;
		numbers[1] = inet->linger_s >= 0 ? inet->linger_s : 0;
		count = 2;
	} else {
		return -ENOPROTOOPT;
	}
	if (*size > count * sizeof(numbers[0]))
		*size = (uint32_t)(count * sizeof(numbers[0]));
	memcpy(value, numbers, *size);
	return 0;
}
