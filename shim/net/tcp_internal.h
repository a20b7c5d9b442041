/* tcp_internal.h: a connection, and what the files of TCP want of each other.
 *
 *   tcp_input.c   segments in: to a connection, a listener, or nobody
 *   tcp_cookie.c  the handshake, which keeps no state before its third segment
 *   tcp_ack.c     acknowledgements: windows, congestion, round trips
 *   tcp_recovery.c what the peer lacks: SACK, and what is lost
 *   tcp_receive.c bytes in, in order or not
 *   tcp_output.c  segments out, and which is next
 *   tcp_timer.c   deadlines
 *   tcp_table.c   the life of a connection: found, closed, freed
 *   tcp_ring.c    byte queues
 *   tcp_user.c    tcp.h
 *
 * Nothing may touch a connection after tcp_tell or tcp_end: its user may have released
 * it. */
#ifndef SHIM_NET_TCP_INTERNAL_H
#define SHIM_NET_TCP_INTERNAL_H

#include "shim/net/tcp.h"
#include "shim/net/wire.h"

#define TCP_HEADER       20u
#define TCP_SCALE        7u    /* of the windows that we announce */
#define TCP_MSS_DEFAULT  536u  /* RFC 9293, 3.7.1 */
#define TCP_MSS_FALLBACK 1220u /* the first step of the black hole fallback */
#define TCP_RANGES_IN    8u    /* runs out of order that a receiver keeps */
#define TCP_RANGES_OUT   16u   /* runs that the peer has selectively acknowledged */
#define TCP_RING_MIN     2048u
#define TCP_RING_MAX     (4u << 20)
#define TCP_MS           1000000ull
#define TCP_SECOND       (1000 * TCP_MS)
#define TCP_RTO_MIN      (200 * TCP_MS) /* as Linux; RFC 6298, 2.4 asks for 1 s */
#define TCP_RTO_MAX      (60 * TCP_SECOND)
#define TCP_DELAYED_ACK  (40 * TCP_MS)
#define TCP_WAIT         (60 * TCP_SECOND) /* TIME-WAIT, and FIN-WAIT-2 without a user */
#define TCP_RETRIES      15u

/* As Linux numbers them. */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_FIN_WAIT_1 = 4,
	TCP_FIN_WAIT_2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSED = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_CLOSING = 11
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* Sequence numbers [start, end). */
struct tcp_range {
	uint32_t start, end;
};

struct tcp_segment {
	const struct ip_packet *packet;
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint16_t window; /* as on the wire */
	uint8_t flags;
	const uint8_t *data;
	uint32_t size;
	bool stamped, sack_permitted;
	uint32_t stamp, echo; /* TSval, TSecr */
	uint8_t scale;        /* 255: no such option */
	uint16_t mss;         /* 0: no such option */
	uint8_t sack_count;
	struct tcp_range sack[4];
};

/* The byte with sequence number s is at bytes[(s - base) & (size - 1)]; size 0: no
 * memory. base moves only when the ring is empty, so that what comes next does not wrap.
 */
struct tcp_ring {
	uint8_t *bytes;
	uint32_t size, base;
};

/* NONE; FAST: RFC 6675 or 6582; LOSS: after a timeout, all below recover is to be sent
 * again. */
enum tcp_recovery { TCP_RECOVERY_NONE, TCP_RECOVERY_FAST, TCP_RECOVERY_LOSS };

struct tcp {
	struct net_stack *stack;
	struct tcp *hash_next;
	struct tcp *pending_next, *pending_previous;
	struct tcp *wheel_next, **wheel_link;    /* link NULL: in no slot */
	struct tcp *queue_next, *queue_previous; /* of the listener, or of TIME-WAIT */
	struct tcp_listener *listener;           /* until accepted */
	const struct tcp_user_ops *ops;
	void *user;
	uint32_t peer_address, local_address;
	uint16_t peer_port, local_port;
	uint8_t peer_mac[6];
	uint8_t state, recovery, error;
	bool held : 1; /* by a user or a listener's queue */
	bool hashed : 1, pending : 1, waiting : 1;
	bool stamps : 1, sack : 1, scaled : 1; /* both sides can */
	bool nodelay : 1, cork : 1, keepalive : 1;
	bool more : 1;       /* the last write said so */
	bool push : 1;       /* a timer sends what was held back */
	bool fin_queued : 1; /* nothing follows what is in the send ring */
	bool fin_seen : 1;   /* the peer's, at fin_seq, in order or not yet */
	bool fin_taken : 1;  /* receive_next counts it */
	bool read_shut : 1;
	bool ack_now : 1;
	bool retransmit_now : 1; /* the first of a recovery, whatever the pipe holds */
	bool persisting : 1;     /* rto_ns is that of a window probe */
	bool write_blocked : 1;  /* a write found no room */
	bool round_timed : 1;
	bool lingers : 1; /* wait_ns is the end, whatever happens */
	/* Sending. The ring holds [send_una, send_una + queued). */
	struct tcp_ring out;
	uint32_t send_una, send_next, queued;
	uint32_t send_window, send_window_max;
	uint32_t window_seq, window_ack; /* SND.WL1, SND.WL2 */
	uint32_t small_end;              /* end of the last segment below the full size */
	uint16_t mss;                    /* with options, as in the peer's SYN */
	uint8_t peer_scale;              /* of windows that it announces */
	uint8_t retries, probes, duplicate_acks;
	uint32_t cwnd, ssthresh;
	uint32_t recover, high_retransmit;
	uint32_t timed_seq; /* its acknowledgement ends the measurement of timed_ns */
	uint64_t timed_ns;
	uint32_t rtt_us, rttvar_us, rto_us; /* smoothed; rtt_us 0: none yet */
	uint32_t retransmits;
	uint64_t last_sent_ns, last_received_ns;
	uint64_t stuck_ns; /* unanswered since; for the user timeout */
	uint8_t sacked_count;
	struct tcp_range sacked[TCP_RANGES_OUT]; /* ascending, disjoint, above send_una */
	/* Receiving. The ring holds [read_next, receive_next), and what is in ranges. */
	struct tcp_ring in;
	uint32_t read_next, receive_next,
		announced; /* announced: right edge of the window */
	uint32_t last_ack_sent;
	uint32_t fin_seq;
	uint32_t stamp_recent; /* TS.Recent of RFC 7323 */
	uint64_t stamp_recent_ns;
	uint32_t stamp_offset;
	uint16_t receive_mss; /* largest segment seen, for the delayed ACK */
	uint8_t range_count;
	struct tcp_range
		ranges[TCP_RANGES_IN]; /* latest first, disjoint, above receive_next */
	/* Bounds. */
	uint32_t send_limit, receive_limit;
	uint32_t keep_idle_s, keep_interval_s, keep_count, user_timeout_ms;
	/* Deadlines; 0: none. */
	uint64_t rto_ns, ack_ns, keep_ns, wait_ns, trim_ns, cork_ns, starved_ns;
	uint64_t answered_ns; /* last ACK for a segment that was no good */
	uint64_t wheel_at;    /* tick of the slot */
};

struct tcp_listener {
	struct net_stack *stack;
	struct tcp_listener *next;
	struct tcp_endpoint local;
	uint32_t backlog, waiting;
	const struct tcp_user_ops *ops;
	void *user;
	struct tcp *first, *last;
};

static inline uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}
static inline uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}
static inline uint32_t tcp_data_end(const struct tcp *tcp)
{
	return tcp->send_una + tcp->queued;
}
/* Is there a FIN of ours that the peer has not acknowledged? Its number is tcp_data_end.
 */
static inline bool tcp_fin_open(const struct tcp *tcp)
{
	return tcp->state == TCP_FIN_WAIT_1 || tcp->state == TCP_CLOSING ||
	       tcp->state == TCP_LAST_ACK;
}
static inline uint32_t tcp_send_end(const struct tcp *tcp)
{
	return tcp_data_end(tcp) + (tcp_fin_open(tcp) ? 1 : 0);
}
static inline uint32_t tcp_option_size(const struct tcp *tcp)
{
	return tcp->stamps ? 12 : 0;
}

/* tcp_ring.c */
bool tcp_ring_reserve(struct net_stack *stack, struct tcp_ring *ring, uint32_t need,
		      uint32_t first, uint32_t end);
void tcp_ring_free(struct net_stack *stack, struct tcp_ring *ring);
void *tcp_ring_at(const struct tcp_ring *ring, uint32_t seq, uint32_t *run);
void tcp_ring_write(struct tcp_ring *ring, uint32_t seq, const uint8_t *data,
		    uint32_t size);

/* tcp_table.c */
struct tcp *tcp_find(struct net_stack *stack, const struct tcp_segment *segment);
struct tcp_listener *tcp_find_listener(struct net_stack *stack, uint32_t address,
				       uint16_t port);
struct tcp *tcp_create(struct net_stack *stack, const struct tcp_segment *segment);
/* Out of the table and all lists, in state CLOSED; freed unless its user holds it, who is
 * told. error: a positive errno, 0: none. */
void tcp_end(struct tcp *tcp, int error);
void tcp_free(struct tcp *tcp);
void tcp_tell(struct tcp *tcp, unsigned events);
/* Those that we have reset of late: what still comes for them is reset too. */
void tcp_reset_note(struct tcp *tcp);
bool tcp_reset_known(struct net_stack *stack, const struct tcp_segment *segment);
void tcp_enter_wait(struct tcp *tcp);
void tcp_wait_expire(struct net_stack *stack);
void tcp_pend(struct tcp *tcp);
void tcp_unpend(struct tcp *tcp);
void tcp_queue_remove(struct tcp *tcp);
bool tcp_memory_tight(const struct net_stack *stack);

/* tcp_cookie.c */
uint32_t tcp_stamp_offset(struct net_stack *stack, const struct tcp_segment *segment);
uint32_t tcp_stamp_now(const struct net_stack *stack, uint32_t offset);
void tcp_cookie_answer(struct net_stack *stack, const struct tcp_segment *syn);
/* Does the segment complete a handshake? Then what its cookie says; else *recent: it
 * may follow one that does and that was lost or is late. */
bool tcp_cookie_check(struct net_stack *stack, const struct tcp_segment *segment,
		      uint16_t *mss, bool *recent);
/* The connection that it opens, in the listener's queue; NULL: no room. */
struct tcp *tcp_cookie_accept(struct net_stack *stack, struct tcp_listener *listener,
			      const struct tcp_segment *segment, uint16_t mss);

/* tcp_input.c */
void tcp_challenge(struct tcp *tcp);

/* tcp_ack.c */
enum tcp_ack { TCP_ACK_DROP, TCP_ACK_OK, TCP_ACK_OF_FIN };
enum tcp_ack tcp_ack_input(struct tcp *tcp, const struct tcp_segment *segment,
			   unsigned *events);
void tcp_on_timeout(struct tcp *tcp);
void tcp_round_trip(struct tcp *tcp, uint64_t sample_us);
uint32_t tcp_initial_window(const struct tcp *tcp);

/* tcp_recovery.c */
void tcp_sack_input(struct tcp *tcp, const struct tcp_segment *segment, bool *news);
void tcp_sack_forget(struct tcp *tcp);    /* what is no longer above send_una */
uint32_t tcp_pipe(const struct tcp *tcp); /* bytes that are in the network, RFC 6675 */
/* The first bytes to send again, those that are lost or all that are missing. */
bool tcp_next_hole(const struct tcp *tcp, bool lost_only, struct tcp_range *hole);
bool tcp_loss_seen(const struct tcp *tcp);

/* tcp_receive.c */
/* Takes the bytes; true: the peer's FIN is reached. */
bool tcp_receive(struct tcp *tcp, const struct tcp_segment *segment, unsigned *events);
uint32_t
tcp_window_edge(const struct tcp *tcp); /* right edge that may be announced now */

/* tcp_output.c */
int tcp_output(struct tcp *tcp);
int tcp_send_ack(struct tcp *tcp, uint32_t seq);
void tcp_send_reset(struct tcp *tcp);
void tcp_reset_answer(struct net_stack *stack, const struct tcp_segment *segment);
void tcp_syn_ack(struct net_stack *stack, const struct tcp_segment *syn, uint32_t isn,
		 uint32_t stamp);
uint32_t tcp_payload_max(const struct tcp *tcp);

/* tcp_timer.c */
void tcp_settle(struct tcp *tcp); /* the wheel knows the earliest deadline */
void tcp_unlink_timer(struct tcp *tcp);
void tcp_arm_retransmit(struct tcp *tcp);
uint64_t tcp_backoff_ns(const struct tcp *tcp, uint32_t times);
void tcp_keep_restart(struct tcp *tcp);

#endif
