/* mmio_device.c: reads virtio_mmio.device= from the command line. Pure. */
#include "shim/dev/mmio_device.h"

#include <stddef.h>

#define GSI_MAX 4096u

static bool digit(char c, unsigned base, unsigned *value)
{
	if (c >= '0' && c <= '9')
		*value = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*value = (unsigned)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		*value = (unsigned)(c - 'A') + 10;
	else
		return false;
	return *value < base;
}

/* As C writes numbers: 0x is hexadecimal, 0 octal. */
static bool number(const char **at, uint64_t *value)
{
	const char *s = *at;
	unsigned base = 10, d;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	} else if (s[0] == '0') {
		base = 8;
	}
	if (!digit(*s, base, &d))
		return false;
	for (*value = 0; digit(*s, base, &d); s++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, d, value))
			return false;
	*at = s;
	return true;
}

static bool suffix(const char **at, uint64_t *value)
{
	static const char units[] = "KkMmGg";
	for (unsigned i = 0; units[i]; i++) {
		if (**at != units[i])
			continue;
		(*at)++;
		return !__builtin_mul_overflow(*value, 1ull << (10 * (i / 2 + 1)), value);
	}
	return true;
}

static bool expect(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool ends(char c)
{
	return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

static bool parse(const char *s, struct mmio_device *device)
{
	uint64_t gsi, id;
	if (!number(&s, &device->size) || !suffix(&s, &device->size) ||
	    !expect(&s, '@') || !number(&s, &device->address) || !expect(&s, ':') ||
	    !number(&s, &gsi))
		return false;
	if (expect(&s, ':') && !number(&s, &id))
		return false;
	device->gsi = (unsigned)gsi;
	return ends(*s) && gsi < GSI_MAX && device->size &&
	       device->address <= UINT64_MAX - device->size;
}

bool mmio_device_next(const char **cmdline, struct mmio_device *device, unsigned *bad)
{
	static const char key[] = "virtio_mmio.device=";
	const char *s = *cmdline;
	bool found = false;
	while (*s && !found) {
		while (*s && ends(*s))
			s++;
		size_t n = 0;
		while (key[n] && s[n] == key[n])
			n++;
		if (!key[n]) {
			found = parse(s + n, device);
			if (!found && bad)
				(*bad)++;
		}
		while (!ends(*s))
			s++;
	}
	*cmdline = s;
	return found;
}
