/* disk.c: reading the boot drive through INT 13h (EDD), by way of a buffer below 1 MiB.
 */
#include "shim/lib/string.h"

#include "loader/bios/bios.h"
#include "loader/bios/layout.h"
#include "loader/bios/pci.h"

enum {
	INT13_RESET = 0x0000,
	INT13_READ = 0x4200,
	INT13_PARAMETERS = 0x4800,
	READ_BLOCKS_MAX = 127, /* EDD 1.1 to 3.0 promise no more a call */
	READ_TRIES = 3,
};

#define PATH_KEY   0xbedd
#define PATH_BYTES 36u

struct drive_parameters { /* AH=48h: EDD 3.0; of EDD 1.1 the first 30 bytes */
	le16 size, flags;
	le32 cylinders, heads, sectors_a_track;
	le64 sectors;
	le16 sector_bytes;
	le16 configuration[2];
	le16 path_key;
	uint8_t path_size, reserved[3];
	uint8_t host_bus[4], interface[8];
	uint8_t bus, device, function; /* of a drive on "PCI " */
	uint8_t path_rest[13], reserved2, checksum;
};
_Static_assert(sizeof(struct drive_parameters) == 30 + PATH_BYTES, "EDD 3.0");

struct disk_packet { /* AH=42h */
	uint8_t size, zero;
	le16 count, offset, segment;
	le64 lba;
};
_Static_assert(sizeof(struct disk_packet) == 16, "EDD");

static uint8_t drive_number;
static unsigned sector_shift; /* log2 of the drive's sector size */
/* In the image, not in .bss: INT 13h wants them at ds:si with ds 0. */
static struct disk_packet packet __attribute__((section(".data")));
static struct drive_parameters parameters __attribute__((section(".data")));

void disk_open(uint8_t drive)
{
	parameters.size = le16_make(sizeof(parameters));
	struct bios_registers regs = {.eax = INT13_PARAMETERS,
				      .edx = drive,
				      .esi = (uint32_t)(uintptr_t)&parameters};
	bios_call(0x13, &regs);
	uint16_t bytes = le16_get(parameters.sector_bytes);
	drive_number = drive;
	sector_shift = 9;
	if (regs.flags & BIOS_CARRY || bytes == 0)
		return; /* the function is optional; 512 is what such a BIOS has */
	while (sector_shift < 12 && 1u << sector_shift != bytes)
		sector_shift++;
	if (1u << sector_shift != bytes)
		fail("the boot drive has sectors of %u bytes; 512 to 4096 can be read",
		     bytes);
}

/* The size that came back is no judge: SeaBIOS's is 30 with the path behind it. */
static bool path_is_there(void)
{
	const uint8_t *bytes = (const uint8_t *)&parameters.path_key;
	uint8_t sum = 0;
	for (uint32_t i = 0; i < PATH_BYTES; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return le16_get(parameters.path_key) == PATH_KEY &&
	       parameters.path_size == PATH_BYTES && sum == 0;
}

bool disk_pci_place(uint32_t *where)
{
	if (!path_is_there() ||
	    memcmp(parameters.host_bus, "PCI ", sizeof(parameters.host_bus)) != 0)
		return false;
	*where = (uint32_t)parameters.bus << 16 | (parameters.device & 31u) << 11 |
		 (parameters.function & 7u) << 8;
	return true;
}

/* Reads count sectors to the bounce buffer. Returns the BIOS's error code, 0: none. */
static uint8_t read_sectors(uint64_t lba, uint32_t count)
{
	uint8_t error = 0;
	for (int i = 0; i < READ_TRIES; i++) {
		packet = (struct disk_packet){
			.size = sizeof(packet),
			.count = le16_make((uint16_t)count),
			.segment = le16_make(BOUNCE_AT >> 4),
			.lba = le64_make(lba),
		};
		struct bios_registers regs = {.eax = INT13_READ,
					      .edx = drive_number,
					      .esi = (uint32_t)(uintptr_t)&packet};
		bios_call(0x13, &regs);
		if (!(regs.flags & BIOS_CARRY))
			return 0;
		error = (uint8_t)(regs.eax >> 8);
		regs = (struct bios_registers){.eax = INT13_RESET, .edx = drive_number};
		bios_call(0x13, &regs);
	}
	return error ? error : 0xff;
}

void disk_read(uint64_t offset, uint32_t size, uint8_t *to)
{
	const uint32_t sector_bytes = 1u << sector_shift;
	uint32_t most = BOUNCE_BYTES >> sector_shift;
	if (most > READ_BLOCKS_MAX)
		most = READ_BLOCKS_MAX;
	while (size) {
		uint64_t lba = offset >> sector_shift;
		uint32_t skip = (uint32_t)offset & (sector_bytes - 1);
		uint32_t count = (skip + size + sector_bytes - 1) >> sector_shift;
		if (count > most)
			count = most;
		uint8_t error = read_sectors(lba, count);
		if (error)
			fail("disk read error %x at sector %u (drive %x); is the image "
			     "cut short?",
			     (uint32_t)error, (uint32_t)lba, (uint32_t)drive_number);
		uint32_t got = (count << sector_shift) - skip;
		if (got > size)
			got = size;
		memcpy(to, (const uint8_t *)physical(BOUNCE_AT) + skip, got);
		to += got;
		offset += got;
		size -= got;
	}
}
