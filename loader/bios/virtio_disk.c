/* virtio_disk.c: reading a virtio disk without the BIOS, by the legacy interface of
 * transitional devices (sections are virtio 1.2's). A BIOS call moves 64 KiB and, on
 * emulators, takes longer than that takes to read: 40 MB/s where the device gives 1 GB/s.
 * All other drives are the BIOS's, and no device is touched but the one that the BIOS
 * says it booted from.
 *
 * The device is reset when we are done with it: whatever comes next finds it silent. The
 * BIOS cannot read from it any more, so it is looked at before its first reset. */
#include "shim/arch/x86_64/port.h"
#include "shim/lib/string.h"

#include "imgfmt/abi/bundle.h"
#include "loader/bios/bios.h"
#include "loader/bios/layout.h"
#include "loader/bios/pci.h"

enum { ID_TRANSITIONAL_BLOCK = 0x10011af4 }; /* 4.1.2.1: device, vendor */
enum { /* 4.1.4.10, from the start of the first I/O BAR */
       DEVICE_FEATURES = 0,
       DRIVER_FEATURES = 4,
       QUEUE_PAGE = 8,
       QUEUE_SIZE = 12,
       QUEUE_SELECT = 14,
       QUEUE_NOTIFY = 16,
       DEVICE_STATUS = 18,
       BLOCK_SIZE_MAX = 20 + 8, /* without MSI-X; 5.2.4 */
};
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4 };
enum { FEATURE_SIZE_MAX = 1 << 1 }; /* 5.2.3 */
enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2 };
enum { QUEUE_ENTRIES_MAX = 1024 }; /* then the rings end below BOUNCE_AT + BOUNCE_BYTES */
#define SECTOR_SHIFT   9
#define READ_BYTES     (16u << 20)
/* Some ten seconds or more on any CPU: that long disks may be silent. */
#define PATIENCE_TICKS (1ull << 36)

struct descriptor { /* 2.7.5 */
	le64 at;
	le32 size;
	le16 flags, next;
};
_Static_assert(sizeof(struct descriptor) == 16, "virtio 1.2, 2.7.5");

struct request { /* 5.2.6 */
	le32 type, reserved;
	le64 sector;
	volatile uint8_t status;
};
enum { REQUEST_HEADER = 16 };

static struct {
	uint16_t port, entries, sent;
	uint32_t features, most; /* most: bytes a request */
	volatile uint16_t *available, *used_index;
} disk;
static struct request request;

static uint64_t ticks(void)
{
	uint64_t now;
	__asm__ volatile("rdtsc" : "=A"(now));
	return now;
}

/* Is it one that we can drive? Changes nothing that the BIOS set up. */
static bool look_at(uint16_t port)
{
	bool bounded = in32(port + DEVICE_FEATURES) & FEATURE_SIZE_MAX;
	uint32_t most = bounded ? in32(port + BLOCK_SIZE_MAX) : READ_BYTES;
	out16(port + QUEUE_SELECT, 0);
	disk.port = port;
	disk.features = bounded ? FEATURE_SIZE_MAX : 0;
	disk.entries = in16(port + QUEUE_SIZE);
	disk.most = most < READ_BYTES ? most & ~4095u : READ_BYTES;
	return disk.most && disk.entries >= 4 && disk.entries <= QUEUE_ENTRIES_MAX &&
	       !(disk.entries & (disk.entries - 1));
}

/* 3.1.1, and 2.7.2's layout: the descriptors, the available ring, and on a page of its
 * own the used ring, all in the buffer that the BIOS does not read into meanwhile. */
static void start(void)
{
	uint32_t available = BOUNCE_AT + disk.entries * sizeof(struct descriptor);
	uint32_t used = (available + 4 + 2u * disk.entries + 4095) & ~4095u;
	disk.sent = 0;
	disk.available = physical(available);
	disk.used_index = physical(used + 2);
	memset(physical(BOUNCE_AT), 0, BOUNCE_BYTES);
	out8(disk.port + DEVICE_STATUS, 0);
	out8(disk.port + DEVICE_STATUS, STATUS_ACKNOWLEDGE);
	out8(disk.port + DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	out32(disk.port + DRIVER_FEATURES, disk.features);
	out16(disk.port + QUEUE_SELECT, 0);
	out32(disk.port + QUEUE_PAGE, BOUNCE_AT >> 12);
	out8(disk.port + DEVICE_STATUS,
	     STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
}

static void describe(unsigned number, const volatile void *at, uint32_t size,
		     uint16_t flags)
{
	struct descriptor *row = (struct descriptor *)physical(BOUNCE_AT) + number;
	*row = (struct descriptor){.at = le64_make((uint32_t)at),
				   .size = le32_make(size),
				   .flags = le16_make(flags),
				   .next = le16_make((uint16_t)(number + 1))};
}

/* At most disk.most bytes. */
static bool read_piece(uint64_t offset, uint32_t size, uint8_t *to)
{
	request.type = le32_make(0);
	request.sector = le64_make(offset >> SECTOR_SHIFT);
	request.status = 0xff;
	describe(0, &request, REQUEST_HEADER, DESCRIPTOR_NEXT);
	describe(1, to, size, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT);
	describe(2, &request.status, 1, DESCRIPTOR_WRITE);
	disk.available[2 + disk.sent % disk.entries] =
		0; /* the chain's first descriptor */
	__asm__ volatile("" : : : "memory");
	disk.available[1] = ++disk.sent;
	/* The index must be seen before the notification is (2.7.13.3); a locked
	 * instruction is a fence on every CPU. */
	__asm__ volatile("lock orl $0, (%%esp)" : : : "memory");
	out16(disk.port + QUEUE_NOTIFY, 0);
	uint64_t start_ticks = ticks();
	while (*disk.used_index != disk.sent) {
		if (ticks() - start_ticks > PATIENCE_TICKS)
			return false;
		__asm__ volatile("pause");
	}
	__asm__ volatile("" : : : "memory");
	return request.status == 0;
}

static void read_whole(uint64_t offset, uint32_t size, uint8_t *to)
{
	for (uint32_t at = 0, piece; at < size; at += piece) {
		piece = size - at < disk.most ? size - at : disk.most;
		if (!read_piece(offset + at, piece, to + at))
			fail("disk read error %x at sector %u (a virtio disk); is the "
			     "image cut short?",
			     (uint32_t)request.status,
			     (uint32_t)((offset + at) >> SECTOR_SHIFT));
	}
}

bool virtio_disk_read(uint64_t offset, uint32_t size, uint8_t *to, const uint8_t *head)
{
	uint32_t where;
	if (!disk_pci_place(&where) || pci_read(where, PCI_ID) != ID_TRANSITIONAL_BLOCK)
		return false;
	uint32_t bar = pci_read(where, PCI_BAR0);
	uint16_t port = (uint16_t)(bar & ~3u);
	if (!(bar & 1) || bar >> 16 || !port || !look_at(port) || !pci_enable_io(where))
		return false;
	start();
	read_whole(offset, size, to);
	out8(disk.port + DEVICE_STATUS, 0);
	if (memcmp(to, head, BUNDLE_BLOCK) != 0)
		fail("the BIOS booted from another disk than it says");
	return true;
}
