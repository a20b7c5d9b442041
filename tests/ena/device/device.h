/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * device.h: an ENA for stock QEMU, as a shared object that is preloaded into it; for
 * tests only, and under QEMU's licence because it is built with QEMU's headers. Strict:
 * what a driver does wrong is said on stderr as "ena-model: violation: ...", and the
 * device goes fatal.
 *
 *   pci.c        what QEMU knows of it; its interrupts
 *   registers.c  BAR 0, the reset
 *   admin.c      the admin queue: queues made and given up
 *   features.c   the admin queue: what is offered, what the driver sets
 *   events.c     the queue of events
 *   transmit.c   frames from the driver
 *   receive.c    frames for it
 *   rss.c        which receive queue a frame is for
 *   faults.c     properties: what it offers, what it does wrong
 *
 * After "qemu/osdep.h". All of it runs under QEMU's one lock. */
#ifndef TESTS_ENA_DEVICE_H
#define TESTS_ENA_DEVICE_H

#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "net/net.h"
#include "qemu/timer.h"

#define TYPE_ENA "ena"
OBJECT_DECLARE_SIMPLE_TYPE(EnaState, ENA)

#define PAIRS_MOST     32
#define RING_MOST      1024
#define LLQ_ENTRY      128
#define REGISTERS_SIZE 0x4000
#define DOORBELLS      0x1000 /* 8 bytes a queue */
#define UNMASKS        0x2000 /* 4 bytes a vector */
#define WINDOW_SIZE    (PAIRS_MOST * RING_MOST * LLQ_ENTRY)
#define FRAME_MOST     16384
#define HELD_MOST      8
#define RSS_TABLE_MOST 256

enum { AQ = 0, ACQ = 1, AENQ = 2, ADMIN_QUEUES };
enum { TX = 0, RX = 1 }; /* the directions; queue n is of direction n % 2 */
#define QUEUES  (2 * PAIRS_MOST)
#define VECTORS (1 + PAIRS_MOST) /* the first is the admin queue's and the events' */

struct ring {
	uint64_t base;
	uint32_t depth, at; /* at: free-running */
};

struct queue {
	unsigned number; /* of its ring and of its completion queue */
	struct ring sq, cq;
	uint32_t vector;
	bool cq_made, sq_made, llq;
	uint32_t tail; /* the driver's doorbell */
	struct buffer {
		uint64_t address;
		uint16_t size, id;
	} buffer[RING_MOST]; /* RX: fetched descriptors, oldest first */
	uint32_t free_count;
	uint8_t meta[16]; /* TX: the descriptor to go on with where a packet brings none
			   */
	uint16_t held[HELD_MOST]; /* TX: completions kept back to shuffle them */
	unsigned held_count;
};

struct EnaState {
	PCIDevice parent;
	MemoryRegion registers, window;
	NICState *nic;
	NICConf conf;
	QEMUTimer *second, *soon;

	uint32_t control, status, aq_tail;
	struct ring admin[ADMIN_QUEUES];
	uint32_t aenq_head;               /* the driver's doorbell */
	uint64_t host_info, read_answers; /* where registers asked for by 0x5c are put */
	uint32_t groups, mtu;
	bool link_told, interrupt_masked;
	bool vector_masked[VECTORS];
	const struct queue *vector_pending[VECTORS]; /* the last that wants one */
	struct queue queue[QUEUES];
	uint64_t dropped, interrupts[2]; /* frames; of queues, by direction */
	uint64_t receivers;              /* bit n: queue n has received a frame */

	/* rss.c */
	uint16_t rss_table[RSS_TABLE_MOST];
	unsigned rss_log_size;
	uint8_t rss_key[40];
	uint32_t rss_function;
	uint16_t rss_fields[16]; /* by protocol */

	/* faults */
	bool reset_refused, shuffled, llq_required, no_llq, hang, silent, bad_rx_id,
		bad_tx_id, admin_hang, no_checksum, fatal, refusing, old_limits, no_rss,
		rss_fixed;
	uint32_t refused;               /* the command that is; 0: every one */
	uint32_t depth, pairs;          /* of queues */
	uint32_t alive_ms, transmit_ms; /* hints to the driver */
};

static inline uint64_t address_of(const uint8_t *p)
{
	return ldl_le_p(p) | (uint64_t)lduw_le_p(p + 4) << 32;
}

static inline uint32_t phase(const struct ring *r)
{
	return !(r->at / r->depth & 1);
}

static inline uint64_t slot(const struct ring *r, unsigned size)
{
	return r->base + (uint64_t)(r->at % r->depth) * size;
}

/* Where in BAR 2 the ring of a transmit queue lies. */
static inline uint32_t llq_offset(const struct queue *q)
{
	return q->number / 2 * RING_MOST * LLQ_ENTRY;
}

/* registers.c */
void violation(EnaState *s, const char *what);
void device_forget(EnaState *s); /* as after a reset */
extern const MemoryRegionOps register_ops;

/* admin.c: does what the queue holds up to the doorbell's tail. */
void admin_doorbell(EnaState *s, uint32_t tail);

/* features.c: a whole command; its status. */
uint8_t feature_get(EnaState *s, const uint8_t *command, uint8_t *answer);
uint8_t feature_set(EnaState *s, const uint8_t *command);

/* events.c */
void events_start(EnaState *s); /* a keep-alive each second from now on */

/* transmit.c */
void tx_doorbell(EnaState *s, struct queue *q, uint32_t tail);
void tx_flush_held(void *state); /* of a timer: completions that were kept back */

/* receive.c */
void rx_doorbell(EnaState *s, struct queue *q, uint32_t tail);
ssize_t rx_receive(NetClientState *nc, const uint8_t *frame, size_t size);

/* rss.c */
void rss_forget(EnaState *s);
bool rss_has(uint8_t feature);
uint8_t rss_get(EnaState *s, const uint8_t *command, uint8_t *answer);
uint8_t rss_set(EnaState *s, const uint8_t *command);
/* NULL: the table names one that is not there. hash is what the driver is told. */
struct queue *rss_queue_of(EnaState *s, const uint8_t *frame, size_t size,
			   uint32_t *hash);

/* pci.c */
void interrupt_admin(EnaState *s);
void interrupt_io(EnaState *s, const struct queue *q);
void interrupt_io_unmask(EnaState *s, uint32_t vector, bool unmask);

/* faults.c */
void faults_add_properties(ObjectClass *class);
void faults_add_counters(EnaState *s); /* to be read */

#endif
