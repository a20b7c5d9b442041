/* ena_regs.h: the interface of Amazon's Elastic Network Adapter: registers, entries of
 * the admin queues, descriptors. Facts are those of Amazon's published drivers.
 *
 * Host-endian structs, not le32: the device needs whole accesses, and x86 has its order.
 */
#ifndef SHIM_DEV_ENA_REGS_H
#define SHIM_DEV_ENA_REGS_H

#include <stdint.h>

enum ena_pci { ENA_VENDOR = 0x1d0f, ENA_BAR_REGISTERS = 0, ENA_BAR_MEMORY = 2 };

/* Offsets in BAR 0; all are 32 bits wide. */
enum ena_register {
	ENA_VERSION = 0x00,
	ENA_CAPS = 0x08,
	ENA_AQ_BASE = 0x10, /* 64 bits, as all bases: low, high */
	ENA_AQ_CAPS = 0x18, /* entry size << 16 | depth, as all capabilities of queues */
	ENA_ACQ_BASE = 0x20,
	ENA_ACQ_CAPS = 0x28,
	ENA_AQ_DOORBELL = 0x2c,
	ENA_AENQ_CAPS = 0x34,
	ENA_AENQ_BASE = 0x38,
	ENA_AENQ_DOORBELL = 0x40,
	ENA_INTERRUPT_MASK = 0x4c, /* 1: no interrupts from the admin queues */
	ENA_CONTROL = 0x54,
	ENA_STATUS = 0x58,
	ENA_REGISTERS_SIZE = 0x70,
};
#define ENA_ABSENT 0xffffffffu /* what a device that is gone reads as */

enum ena_caps {
	ENA_CAPS_RESET_SHIFT = 1, /* in units of 100 ms, as the next */
	ENA_CAPS_RESET_MASK = 0x1f,
	ENA_CAPS_ADDRESS_SHIFT = 8, /* bits of an address that the device can reach */
	ENA_CAPS_ADDRESS_MASK = 0xff,
	ENA_CAPS_COMMAND_SHIFT = 16,
	ENA_CAPS_COMMAND_MASK = 0xf,
};
#define ENA_CAPS_UNIT_NS 100000000ull

enum ena_control { ENA_CONTROL_RESET = 1, ENA_CONTROL_REASON_SHIFT = 28 };
enum ena_status {
	ENA_STATUS_READY = 1 << 0,
	ENA_STATUS_RESETTING = 1 << 3,
	ENA_STATUS_FATAL = 1 << 5,
};

/* What the device is told when it is reset. */
enum ena_reason {
	ENA_REASON_NORMAL = 0,
	ENA_REASON_KEEP_ALIVE = 1,
	ENA_REASON_ADMIN = 2,
	ENA_REASON_TX_STALLED = 3,
	ENA_REASON_RX_ID = 4,
	ENA_REASON_TX_ID = 5,
	ENA_REASON_INIT = 7,
	ENA_REASON_GENERIC = 13,
};

struct ena_address {
	uint32_t low;
	uint16_t high, reserved;
};

enum ena_opcode {
	ENA_CREATE_SQ = 1,
	ENA_CREATE_CQ = 3,
	ENA_GET_FEATURE = 8,
	ENA_SET_FEATURE = 9,
};

/* Bits of the device's supported features, too, but for the first, which is a must. */
enum ena_feature {
	ENA_FEATURE_ATTRIBUTES = 1,
	ENA_FEATURE_QUEUES = 2,
	ENA_FEATURE_HINTS = 3,
	ENA_FEATURE_LLQ = 4,
	ENA_FEATURE_QUEUES_EXTENDED = 7,
	ENA_FEATURE_OFFLOAD = 11,
	ENA_FEATURE_RSS_TABLE = 12,
	ENA_FEATURE_MTU = 14,
	ENA_FEATURE_AENQ = 26,
	ENA_FEATURE_HOST = 28,
};

enum ena_direction { ENA_TRANSMIT = 1, ENA_RECEIVE = 2 }; /* in bits 5..7 */
enum ena_placement { ENA_PLACE_HOST = 1, ENA_PLACE_DEVICE = 3 };
#define ENA_CQ_INTERRUPT  0x20u
#define ENA_SQ_CONTIGUOUS 1u

#define ENA_ENTRY    64u /* bytes of an entry of each admin queue */
#define ENA_PHASE    1u  /* in the flags of each */
#define ENA_INDIRECT 4u  /* in a command's flags: its data is in the control buffer */

struct ena_create_cq {
	uint8_t caps, entry_words;
	uint16_t depth;
	uint32_t vector;
	struct ena_address base;
};

struct ena_create_sq {
	uint8_t direction, reserved, policy, contiguous;
	uint16_t cq, depth;
	struct ena_address base, head_writeback;
};

struct ena_host_attributes {
	struct ena_address host_info, debug;
	uint32_t debug_size;
};

struct ena_attributes {
	uint32_t implementation, version, features, capabilities;
	uint32_t physical_width, virtual_width;
	uint8_t mac[6], reserved[2];
	uint32_t max_mtu;
};

struct ena_queue_limits {
	uint32_t sq_count, sq_depth, cq_count, cq_depth, llq_count, llq_depth,
		header_size;
	uint16_t tx_descriptors, rx_descriptors; /* of one packet */
};

struct ena_queue_limits_extended {
	uint32_t version;
	uint32_t tx_sq_count, tx_cq_count, rx_sq_count, rx_cq_count;
	uint32_t tx_sq_depth, tx_cq_depth, rx_sq_depth, rx_cq_depth, header_size;
	uint16_t tx_descriptors, rx_descriptors;
};

/* Low latency queues: the transmit ring and the packets' first bytes lie in BAR 2. */
enum ena_llq {
	ENA_LLQ_INLINE = 1,     /* header location */
	ENA_LLQ_ENTRY_128 = 1,  /* entry size */
	ENA_LLQ_TWO_FIRST = 2,  /* descriptors before the header */
	ENA_LLQ_ONE_STRIDE = 1, /* descriptors an entry after the first */
	ENA_LLQ_MANY_STRIDE = 2,
	ENA_LLQ_LIMITED_BURST = 2, /* acceleration: at most so many bytes a doorbell */
	ENA_LLQ_NO_META_CACHE = 1, /* acceleration: each packet has a meta descriptor */
};

struct ena_llq_config {
	uint32_t count, depth;
	uint16_t header_supported, header_enabled;
	uint16_t entry_supported, entry_enabled;
	uint16_t first_supported, first_enabled;
	uint16_t stride_supported, stride_enabled;
	uint32_t reserved;
	uint16_t acceleration, burst_bytes; /* enabled, 0 in a SET */
};

enum ena_offload {
	ENA_OFFLOAD_TX_PARTIAL = 1 << 1, /* IPv4 TCP and UDP over a pseudo-header's sum */
	ENA_OFFLOAD_RX_L4 = 1 << 1,
};
struct ena_offloads {
	uint32_t tx, rx_supported, rx_enabled;
};

/* Receive side scaling: a frame's hash picks an entry of a table, which names a receive
 * queue. Sizes are powers of two, as their logarithms. */
struct ena_rss_table {
	uint16_t least, most, size;
	uint8_t flags, reserved;
	uint32_t inline_index; /* ENA_RSS_WHOLE: the table is in the control buffer */
	uint32_t inline_entry;
};
#define ENA_RSS_WHOLE 0xffffffffu
struct ena_rss_entry {
	uint16_t queue, reserved;
};

struct ena_event_groups {
	uint32_t supported, enabled;
};

/* 0: the driver's choice */
struct ena_hints {
	uint16_t register_ms, keep_alive_ms, transmit_ms, transmit_count, command_ms;
};
#define ENA_HINT_NEVER 0xffffu

struct ena_command {
	uint16_t id;
	uint8_t opcode, flags;
	union {
		uint32_t word[15];
		struct ena_create_cq create_cq;
		struct ena_create_sq create_sq;
		struct {
			uint32_t control_size;
			struct ena_address control;
			uint8_t select, feature, version, reserved;
			union {
				uint32_t word[11];
				struct ena_host_attributes host;
				struct ena_llq_config llq;
				struct ena_event_groups events;
				struct ena_rss_table rss;
				uint32_t mtu;
			} set;
		} feature;
	};
};
_Static_assert(sizeof(struct ena_command) == ENA_ENTRY, "ENA admin queue");

struct ena_response {
	uint16_t id;
	uint8_t status, flags;
	uint16_t extended_status, head;
	union {
		uint32_t word[14];
		struct {
			uint16_t index, depth;
			uint32_t numa_offset, head_offset, unmask_offset;
		} cq;
		struct {
			uint16_t index, reserved;
			uint32_t doorbell_offset, llq_offset, llq_headers_offset;
		} sq;
		struct ena_attributes attributes;
		struct ena_queue_limits queues;
		struct ena_queue_limits_extended queues_extended;
		struct ena_llq_config llq;
		struct ena_offloads offload;
		struct ena_rss_table rss;
		struct ena_event_groups events;
		struct ena_hints hints;
	};
};
_Static_assert(sizeof(struct ena_response) == ENA_ENTRY, "ENA admin completion queue");

enum ena_event_group {
	ENA_EVENT_LINK = 0,
	ENA_EVENT_FATAL = 1,
	ENA_EVENT_WARNING = 2,
	ENA_EVENT_NOTIFICATION = 3,
	ENA_EVENT_KEEP_ALIVE = 4,
	ENA_EVENT_RESET_REQUEST = 6,
};
enum ena_notification { ENA_NOTIFICATION_HINTS = 2 };

struct ena_event {
	uint16_t group, syndrome;
	uint8_t flags, reserved[3];
	uint32_t time[2];
	union {
		uint32_t word[12];
		uint32_t link; /* bit 0: up */
		struct {
			uint32_t rx_low, rx_high, tx_low, tx_high;
		} drops; /* since the reset */
		struct ena_hints hints;
	};
};
_Static_assert(sizeof(struct ena_event) == ENA_ENTRY, "ENA event queue");

/* One page; the rest is zero. The device refuses queues to drivers that do not say who
 * they are, and to versions below 2. */
struct ena_host_info {
	uint32_t system;
	char distribution[128];
	uint32_t distribution_number;
	char kernel[32];
	uint32_t kernel_number, driver_version;
	uint32_t network_features[2];
	uint16_t specification, place, cpus, reserved;
	uint32_t driver_features;
};
_Static_assert(sizeof(struct ena_host_info) == 196, "ENA host info");
#define ENA_SYSTEM_OTHER      5u /* iPXE: the least that the device expects of a system */
#define ENA_SPECIFICATION_2_0 0x0200u

/* Transmit and receive descriptors, 16 bytes; words as ena_ring.c fills them. */
struct ena_descriptor {
	uint32_t word[4];
};
struct ena_tx_completion {
	uint16_t id;
	uint8_t status, flags;
	uint16_t queue, head;
};
struct ena_rx_completion {
	uint32_t status;
	uint16_t size, id;
	uint32_t hash;
	uint16_t queue;
	uint8_t offset, reserved;
};
_Static_assert(sizeof(struct ena_tx_completion) == 8, "ENA transmit completion");
_Static_assert(sizeof(struct ena_rx_completion) == 16, "ENA receive completion");

enum ena_tx_bits { /* of both kinds; word 0 */
		   ENA_TX_ID_HIGH_SHIFT = 16,
		   ENA_TX_EXTENDED_VALID = 1 << 14,
		   ENA_TX_EXTENDED = 1 << 20,
		   ENA_TX_META_STORE = 1 << 21,
		   ENA_TX_META = 1 << 23,
		   ENA_TX_PHASE_SHIFT = 24,
		   ENA_TX_FIRST = 1 << 26,
		   ENA_TX_LAST = 1 << 27,
		   ENA_TX_COMPLETE = 1 << 28,
};
enum ena_tx_control { /* word 1 */
		      ENA_TX_IPV4 = 8,
		      ENA_TX_DONT_FRAGMENT = 1 << 4,
		      ENA_TX_TCP = 12 << 8,
		      ENA_TX_UDP = 13 << 8,
		      ENA_TX_L4_CHECKSUM = 1 << 14,
		      ENA_TX_L4_PARTIAL = 1 << 17,
		      ENA_TX_ID_LOW_SHIFT = 22,
};
enum ena_tx_place { ENA_TX_HEADER_SHIFT = 24 }; /* word 3 */
enum ena_tx_meta {                              /* word 2 of the meta descriptor */
		   ENA_META_L3_OFFSET_SHIFT = 8,
		   ENA_META_L4_WORDS_SHIFT = 16,
};
enum ena_rx_control { /* word 0 */
		      ENA_RX_PHASE_SHIFT = 24,
		      ENA_RX_FIRST = 1 << 26,
		      ENA_RX_LAST = 1 << 27,
		      ENA_RX_COMPLETE = 1 << 28,
};
enum ena_rx_status {
	ENA_RXC_L3_MASK = 0x1f,
	ENA_RXC_L3_IPV4 = 8,
	ENA_RXC_L4_SHIFT = 8,
	ENA_RXC_L4_MASK = 0x1f,
	ENA_RXC_L4_TCP = 12,
	ENA_RXC_L4_UDP = 13,
	ENA_RXC_L4_ERROR = 1 << 14,
	ENA_RXC_FRAGMENT = 1 << 15,
	ENA_RXC_L4_CHECKED = 1 << 16,
	ENA_RXC_PHASE_SHIFT = 24,
	ENA_RXC_FIRST = 1 << 26,
	ENA_RXC_LAST = 1 << 27,
};

#endif
