/* fw_cfg.c: QEMU's configuration items. Names of registers are docs/specs/fw_cfg's. */
#include "shim/dev/fw_cfg.h"

#include "shim/arch/x86_64/insn.h"
#include "shim/lib/string.h"

enum port { PORT_SELECTOR = 0x510, PORT_DATA = 0x511 };
enum item { ITEM_SIGNATURE = 0x00, ITEM_DIRECTORY = 0x19 };

#define FILES_MAX 4096u

/* big-endian */
struct fw_cfg_file {
	uint8_t size[4], selector[2], reserved[2];
	char name[56];
};
_Static_assert(sizeof(struct fw_cfg_file) == 64, "fw_cfg directory");

/* One string instruction: a hypervisor then leaves the guest once, not once a byte. */
static void data_read(void *out, size_t size)
{
	__asm__ volatile("rep insb"
			 : "+D"(out), "+c"(size)
			 : "d"((uint16_t)PORT_DATA)
			 : "memory");
}

size_t fw_cfg_read(const char *name, void *out, size_t room)
{
	uint8_t signature[4], count[4];
	out16(PORT_SELECTOR, ITEM_SIGNATURE);
	data_read(signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)) != 0)
		return 0;
	out16(PORT_SELECTOR, ITEM_DIRECTORY);
	data_read(count, sizeof(count));
	uint32_t files = (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 |
			 (uint32_t)count[2] << 8 | count[3];
	for (uint32_t i = 0; i < files && i < FILES_MAX; i++) {
		struct fw_cfg_file file;
		data_read(&file, sizeof(file));
		size_t length = strnlen(file.name, sizeof(file.name));
		if (length != strlen(name) || memcmp(file.name, name, length) != 0)
			continue;
		size_t size = (size_t)file.size[0] << 24 | (size_t)file.size[1] << 16 |
			      (size_t)file.size[2] << 8 | file.size[3];
		out16(PORT_SELECTOR,
		      (uint16_t)(file.selector[0] << 8 | file.selector[1]));
		data_read(out, size < room ? size : room);
		return size;
	}
	return 0;
}
