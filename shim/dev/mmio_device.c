/* mmio_device.c: reads virtio_mmio.device= from the command line, and DSDTs. Pure. */
#include "shim/dev/mmio_device.h"

#include "imgfmt/abi/le.h"

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
	device->level = device->active_low = false;
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

/* ACPI 6.4, 6.4.3.4: 32-Bit Fixed Memory Range; 6.4.3.6: Extended Interrupt. */
struct aml_resources {
	uint8_t memory_tag;
	le16 memory_length;
	uint8_t memory_flags;
	le32 base, size;
	uint8_t interrupt_tag;
	le16 interrupt_length;
	uint8_t interrupt_flags, interrupt_count;
	le32 gsi;
};
_Static_assert(sizeof(struct aml_resources) == 21, "ACPI 6.4, 6.4.3");
#define AML_MEMORY_TAG       0x86
#define AML_MEMORY_LENGTH    9
#define AML_INTERRUPT_TAG    0x89
#define AML_INTERRUPT_LENGTH 6

enum aml_interrupt_flags { AML_EDGE = 2, AML_ACTIVE_LOW = 4 };

/* What may stand between a device's name and its resources: _UID, _CCA. */
#define AML_REACH 64u

static bool is_resources(const struct aml_resources *r)
{
	return r->memory_tag == AML_MEMORY_TAG &&
	       le16_get(r->memory_length) == AML_MEMORY_LENGTH &&
	       r->interrupt_tag == AML_INTERRUPT_TAG &&
	       le16_get(r->interrupt_length) == AML_INTERRUPT_LENGTH &&
	       r->interrupt_count == 1;
}

static bool has_name(const uint8_t *aml)
{
	static const char name[] = "LNRO0005"; /* the 0 at its end is AML's too */
	size_t n = 0;
	while (n < sizeof(name) && aml[n] == (uint8_t)name[n])
		n++;
	return n == sizeof(name);
}
#define AML_NAME_SIZE 9u

bool mmio_device_next_aml(const uint8_t *aml, size_t size, size_t *at,
			  struct mmio_device *device)
{
	size_t named = 0; /* end of the last name seen; 0: none in reach */
	for (; *at + AML_NAME_SIZE <= size; (*at)++) {
		if (has_name(aml + *at))
			named = *at + AML_NAME_SIZE;
		if (!named || *at < named)
			continue;
		if (*at - named > AML_REACH) {
			named = 0;
			continue;
		}
		const struct aml_resources *r = (const struct aml_resources *)(aml + *at);
		if (size - *at < sizeof(*r) || !is_resources(r))
			continue;
		*device = (struct mmio_device){
			.address = le32_get(r->base),
			.size = le32_get(r->size),
			.gsi = le32_get(r->gsi),
			.level = !(r->interrupt_flags & AML_EDGE),
			.active_low = r->interrupt_flags & AML_ACTIVE_LOW,
		};
		*at += sizeof(*r);
		return true;
	}
	return false;
}
