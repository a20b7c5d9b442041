/* ena_device.h: one ENA, between the files of its driver:
 *
 *   ena.c        finds it, watches it, starts it again when it has stopped working
 *   ena_start.c  from reset to running, in steps that never wait
 *   ena_admin.c  registers, reset, the admin queue, events
 *   ena_rss.c    which receive queue frames go to
 *   ena_io.c     frames
 *   ena_ring.c   what the rings hold (pure)
 *
 * One pair of queues, of those that the device has: the stack is one, under one lock, so
 * more would gain it nothing. */
#ifndef SHIM_DEV_ENA_DEVICE_H
#define SHIM_DEV_ENA_DEVICE_H

#include "shim/dev/ena_ring.h"
#include "shim/dev/nic.h"
#include "shim/dev/pci.h"
#include "shim/mm/page.h"
#include "shim/proc/timer.h"

#define ENA_RX_BUFFER 2048u
#define ENA_TX_BUFFER 2048u

enum ena_state {
	ENA_STOPPED,     /* until the timer starts it again */
	ENA_RESET_BEGUN, /* asked to reset, which it has not said it does */
	ENA_RESET_ENDED, /* asked to end its reset */
	ENA_COMMANDS,    /* ena_start.c's steps */
	ENA_RUNNING,
};

enum ena_vector {
	ENA_VECTOR_ADMIN,
	ENA_VECTOR_RECEIVE,
	ENA_VECTOR_TRANSMIT,
	ENA_VECTORS
};

struct ena_queue {
	enum ena_direction direction;
	uint8_t completion_size;
	uint16_t wanted, limit; /* entries: by our memory, by the device */
	struct ena_ring sq, cq;
	struct ena_descriptor *descriptors; /* a page; not used by an LLQ */
	volatile void *completions;         /* a page */
	struct nic_pool pool;
	enum ena_vector vector;
	volatile uint32_t *unmask; /* of the vector: for one interrupt more */
	uint16_t cq_index, sq_index;
	uint16_t told; /* sq.at as the device knows it */
	volatile uint32_t *doorbell;
	volatile uint32_t *cq_head; /* NULL where the device does not want it */
};

struct ena {
	struct netdev netdev;
	struct pci_function *function;
	char name[16]; /* for the log */
	volatile uint8_t *registers;
	uint64_t registers_size;
	volatile uint8_t *window; /* BAR 2; NULL until an LLQ is used */
	struct timer timer;       /* starting: the next look; running: the watchdog */

	enum ena_state state;
	unsigned step;          /* in ena_start.c's table */
	uint64_t deadline_ns;   /* of what the state waits for */
	unsigned failures;      /* since it last ran for a while */
	enum ena_reason reason; /* of the next reset */
	bool started;           /* it has run before */

	struct ena_command *commands; /* the admin queue */
	const volatile struct ena_response *responses;
	const volatile struct ena_event *events;
	struct ena_host_info *host_info;
	struct ena_ring aq, acq, aenq;
	uint64_t reset_limit_ns, command_limit_ns;
	uint64_t alive_limit_ns, transmit_limit_ns; /* UINT64_MAX: none */

	uint32_t features, groups;       /* what it supports; events it is asked for */
	struct ena_rss_entry *rss_table; /* a page; NULL until one is set */
	uint16_t rss_size;               /* its logarithm */
	bool rss;                        /* there is a table to set */
	uint64_t alive_ns, running_ns;
	uint64_t device_drops; /* as last told, since the reset */

	struct ena_queue tx, rx;
	unsigned rx_pieces;
	uint8_t tx_slots[NIC_BUFFERS_MAX]; /* ring entries that a frame under way took */
	uint16_t tx_used;                  /* their sum */
	uint64_t tx_completed, tx_completed_seen;
	uint64_t tx_progress_ns; /* the watchdog last saw completions, or none due */
	bool stalled; /* the stack waits for room: completions are to interrupt */

	bool llq;
	struct ena_llq_config llq_config;
	uint32_t header_most; /* first bytes of a frame that the device is told of */
	uint16_t burst;       /* entries of an LLQ at most before a doorbell; 0: any */
	volatile uint64_t *llq_entries;
};

/* ena.c: the device has stopped working, for this reason; it is started again. */
void ena_fail(struct ena *ena, enum ena_reason reason, const char *why);
void ena_hints_take(struct ena *ena, const struct ena_hints *hints);

/* ena_admin.c */
uint32_t ena_read(const struct ena *ena, unsigned offset);
void ena_write(const struct ena *ena, unsigned offset, uint32_t value);
struct ena_address ena_address(const void *memory);
int ena_admin_make(struct ena *ena); /* memory: 0 or -ENOMEM */
void ena_admin_free(struct ena *ena);
/* Starts a reset; -ENODEV when the device is not there or has no time limit. */
int ena_reset_begin(struct ena *ena, enum ena_reason reason);
void ena_admin_open(struct ena *ena); /* after a reset: hands the admin queues over */
void ena_command_send(struct ena *ena, const struct ena_command *command);
/* 1: response is the answer; 0: not yet; -EIO: nonsense. */
int ena_command_answer(struct ena *ena, struct ena_response *response);
void ena_events_open(struct ena *ena);
void ena_events_take(struct ena *ena);

/* ena_start.c: goes on from ENA_RESET_BEGUN. 1: the device is ready; 0: not yet; -errno,
 * which why explains. */
#define ENA_WHY_SIZE 96u
int ena_start_go_on(struct ena *ena, char why[ENA_WHY_SIZE]);

/* ena_rss.c: what the device tells of its table, and the command that sets it. */
int ena_rss_take(struct ena *ena, struct ena_queue *rx, const struct ena_response *r);
bool ena_rss_wanted(const struct ena *ena);
int ena_rss_fill(struct ena *ena, struct ena_queue *rx, struct ena_command *c);

/* ena_io.c */
extern const struct netdev_ops ena_netdev_ops;
/* Sizes the queue's rings by its limit, with memory when it has none. 0 or -errno. */
int ena_queue_make(struct ena_queue *q);
void ena_queue_free(struct ena_queue *q);
void ena_io_start(struct ena *ena); /* the device has the queues */

#endif
