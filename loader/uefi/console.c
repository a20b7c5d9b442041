/* console.c: the loader's messages: on the firmware's console, and on COM1 when that
 * console is not on a serial port itself. */
#include "loader/message.h"
#include "loader/uefi/uefi.h"

static bool path_has_serial_port(const struct efi_device_path *path)
{
	while (path && path->type != EFI_PATH_END) {
		unsigned length = path->length[0] | (unsigned)path->length[1] << 8;
		if (path->type == EFI_PATH_MESSAGING && path->subtype == EFI_PATH_UART)
			return true;
		if (length < sizeof(*path))
			return false;
		path = (const void *)((const uint8_t *)path + length);
	}
	return false;
}

static bool console_is_serial(void)
{
	static const struct efi_guid mark = EDK2_CONSOLE_OUT_DEVICE,
				     path = EFI_DEVICE_PATH;
	efi_handle *handles;
	uint64_t count;
	bool found = false;
	if (firmware->boot->locate_handle_buffer(EFI_BY_PROTOCOL, &mark, NULL, &count,
						 &handles))
		return false;
	for (uint64_t i = 0; i < count && !found; i++)
		found = path_has_serial_port(protocol_of(handles[i], &path));
	firmware->boot->free_pool(handles);
	return found;
}

static bool to_com1;

static void put_char(char c)
{
	uint16_t text[2] = {(uint8_t)c, 0};
	if (firmware->console_out) /* there may be none */
		firmware->console_out->output_string(firmware->console_out, text);
	if (to_com1)
		com1_put(c);
}

bool fail(const char *format, ...)
{
	va_list args;
	to_com1 = !console_is_serial();
	if (to_com1)
		com1_open();
	va_start(args, format);
	message_format(put_char, format, args);
	va_end(args);
	return false;
}
