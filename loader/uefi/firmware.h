/* firmware.h: the part of UEFI 2.10 that the loader uses, for x86-64. Names are the
 * specification's, in our spelling; members that are not called are void pointers. */
#ifndef LOADER_UEFI_FIRMWARE_H
#define LOADER_UEFI_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The compiler's target is Windows', whose calling convention UEFI uses (2.3.4). */
typedef uint64_t efi_status; /* appendix D: the highest bit means an error */
#define EFI_ERROR(n)          (0x8000000000000000u | (n))
#define EFI_SUCCESS           0u
#define EFI_LOAD_ERROR        EFI_ERROR(1)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_BUFFER_TOO_SMALL  EFI_ERROR(5)

typedef void *efi_handle;

struct efi_guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

struct efi_table_header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
};

/* 12.4 */
struct efi_text_output {
	void *reset;
	efi_status (*output_string)(struct efi_text_output *self, const uint16_t *text);
};

/* 7.2 */
enum efi_allocate { EFI_ANY_PAGES, EFI_MAX_ADDRESS, EFI_ADDRESS };
enum efi_memory_type {
	EFI_LOADER_CODE = 1,
	EFI_LOADER_DATA,
	EFI_BOOT_SERVICES_CODE,
	EFI_BOOT_SERVICES_DATA,
	EFI_RUNTIME_CODE,
	EFI_RUNTIME_DATA,
	EFI_CONVENTIONAL,
	EFI_UNUSABLE,
	EFI_ACPI_RECLAIM,
	EFI_ACPI_NVS,
};
#define EFI_PAGE             4096u
#define EFI_MEMORY_WRITEBACK 0x8u
struct efi_memory_descriptor { /* in steps of the size that the firmware tells */
	uint32_t type, padding;
	uint64_t physical, virtual, pages, attributes;
};
_Static_assert(sizeof(struct efi_memory_descriptor) == 40, "UEFI ABI");

enum efi_search { EFI_BY_PROTOCOL = 2 };

/* 4.4 */
struct efi_boot_services {
	struct efi_table_header header;
	void *raise_tpl, *restore_tpl;
	efi_status (*allocate_pages)(enum efi_allocate how, enum efi_memory_type type,
				     uint64_t pages, uint64_t *address);
	efi_status (*free_pages)(uint64_t address, uint64_t pages);
	efi_status (*get_memory_map)(uint64_t *size, void *map, uint64_t *key,
				     uint64_t *descriptor_size, uint32_t *version);
	void *allocate_pool;
	efi_status (*free_pool)(void *buffer);
	void *create_event, *set_timer, *wait_for_event, *signal_event, *close_event,
		*check_event;
	void *install_protocol, *reinstall_protocol, *uninstall_protocol;
	efi_status (*handle_protocol)(efi_handle handle, const struct efi_guid *protocol,
				      void **interface);
	void *reserved, *register_protocol_notify, *locate_handle, *locate_device_path,
		*install_configuration_table;
	void *load_image, *start_image, *exit, *unload_image;
	efi_status (*exit_boot_services)(efi_handle image, uint64_t key);
	void *get_next_monotonic_count, *stall;
	efi_status (*set_watchdog_timer)(uint64_t seconds, uint64_t code, uint64_t size,
					 const uint16_t *data);
	void *connect_controller, *disconnect_controller;
	void *open_protocol, *close_protocol, *open_protocol_information;
	void *protocols_per_handle;
	efi_status (*locate_handle_buffer)(enum efi_search how,
					   const struct efi_guid *protocol, void *key,
					   uint64_t *count, efi_handle **handles);
};
_Static_assert(sizeof(struct efi_boot_services) == 24 + 37 * 8, "UEFI ABI");

/* 4.6 */
struct efi_configuration_table {
	struct efi_guid guid;
	void *table;
};

/* 4.3 */
struct efi_system_table {
	struct efi_table_header header;
	const uint16_t *vendor;
	uint32_t revision;
	efi_handle console_in_handle;
	void *console_in;
	efi_handle console_out_handle;
	struct efi_text_output *console_out;
	efi_handle error_handle;
	struct efi_text_output *error;
	void *runtime_services;
	struct efi_boot_services *boot;
	uint64_t table_count;
	const struct efi_configuration_table *tables;
};
_Static_assert(sizeof(struct efi_system_table) == 120, "UEFI ABI");

/* 9.1 */
struct efi_loaded_image {
	uint32_t revision;
	efi_handle parent;
	struct efi_system_table *system;
	efi_handle device;
	void *file_path, *reserved;
	uint32_t load_options_size;
	void *load_options;
	const uint8_t *base;
	uint64_t size;
};

/* 10.2, 10.3 */
struct efi_device_path {
	uint8_t type, subtype;
	uint8_t length[2];
};
enum {
	EFI_PATH_MESSAGING = 3,
	EFI_PATH_UART = 14,
	EFI_PATH_MEDIA = 4,
	EFI_PATH_END = 0x7f,
};

/* 13.9 */
struct efi_block_media {
	uint32_t id;
	bool removable, present, partition, read_only, write_caching;
	uint32_t block_bytes, io_align;
	uint64_t last_block;
};
struct efi_block_io {
	uint64_t revision;
	const struct efi_block_media *media;
};

/* 13.7 */
struct efi_disk_io {
	uint64_t revision;
	efi_status (*read)(struct efi_disk_io *self, uint32_t media, uint64_t offset,
			   uint64_t size, void *to);
};

#define EFI_LOADED_IMAGE                                                                 \
	{                                                                                \
		0x5b1b31a1, 0x9562, 0x11d2,                                              \
		{                                                                        \
			0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                   \
		}                                                                        \
	}
#define EFI_DEVICE_PATH                                                                  \
	{                                                                                \
		0x09576e91, 0x6d3f, 0x11d2,                                              \
		{                                                                        \
			0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                   \
		}                                                                        \
	}
#define EFI_BLOCK_IO                                                                     \
	{                                                                                \
		0x964e5b21, 0x6459, 0x11d2,                                              \
		{                                                                        \
			0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                   \
		}                                                                        \
	}
#define EFI_DISK_IO                                                                      \
	{                                                                                \
		0xce345171, 0xba0b, 0x11d2,                                              \
		{                                                                        \
			0x8e, 0x4f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b                   \
		}                                                                        \
	}
#define EFI_ACPI_20_TABLE                                                                \
	{                                                                                \
		0x8868e871, 0xe4f1, 0x11d3,                                              \
		{                                                                        \
			0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81                   \
		}                                                                        \
	}
#define EFI_ACPI_10_TABLE                                                                \
	{                                                                                \
		0xeb9d2d30, 0x2d88, 0x11d3,                                              \
		{                                                                        \
			0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                   \
		}                                                                        \
	}
/* EDK II's mark of the devices that its console writes to. */
#define EDK2_CONSOLE_OUT_DEVICE                                                          \
	{                                                                                \
		0xd3b36f2c, 0xd551, 0x11d4,                                              \
		{                                                                        \
			0x9a, 0x46, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d                   \
		}                                                                        \
	}

#endif
