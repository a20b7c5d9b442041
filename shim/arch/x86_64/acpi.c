/* acpi.c: finds the firmware's tables, checks them, and takes from them what a machine
 * without AML needs. _S5 is the one object of AML that is read, by its well-known
 * encoding. */
#include "shim/arch/x86_64/acpi.h"

#include "imgfmt/abi/le.h"
#include "shim/arch/x86_64/acpi_parse.h"
#include "shim/arch/x86_64/device_map.h"
#include "shim/lib/string.h"

#define TABLES_MAX     64u
#define TABLE_SIZE_MAX (1u << 20)

struct rsdp {
	uint8_t signature[8], checksum, oem[6], revision;
	le32 rsdt_phys, length;
	le64 xsdt_phys;
	uint8_t checksum2, reserved[3];
};
_Static_assert(sizeof(struct rsdp) == 36, "ACPI 6.4, 5.2.5.3");

struct table {
	char signature[4];
	le32 length;
	uint8_t revision, checksum, oem[26];
};
_Static_assert(sizeof(struct table) == 36, "ACPI 6.4, 5.2.6");

struct acpi_info acpi_info = {.reset_space = 0xff, .sleep_space = 0xff};
static const struct table *tables[TABLES_MAX];
static unsigned table_count;

static bool sums_to_zero(const void *bytes, size_t size)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
	return sum == 0;
}

static uint64_t field(const void *table, size_t offset, unsigned bytes)
{
	uint64_t n = 0;
	for (unsigned i = bytes; i-- > 0;)
		n = n << 8 | ((const uint8_t *)table)[offset + i];
	return n;
}

static const struct table *table_map(uint64_t pa)
{
	const struct table *head = pa ? firmware_map(pa, sizeof(*head)) : NULL;
	if (!head)
		return NULL;
	uint32_t length = le32_get(head->length);
	if (length < sizeof(*head) || length > TABLE_SIZE_MAX)
		return NULL;
	const struct table *whole = firmware_map(pa, length);
	return whole && sums_to_zero(whole, length) ? whole : NULL;
}

static const struct rsdp *rsdp_at(uint64_t pa)
{
	const struct rsdp *rsdp = firmware_map(pa, sizeof(*rsdp));
	if (rsdp && memcmp(rsdp->signature, "RSD PTR ", 8) == 0 && sums_to_zero(rsdp, 20))
		return rsdp;
	return NULL;
}

/* ACPI 6.4, 5.2.5.1: the BIOS' read-only area, on 16-byte boundaries. (The EBDA's first
 * KiB too, says the text; no firmware since 2000 that we know of puts it there.) */
static const struct rsdp *rsdp_search(void)
{
	const uint64_t start = 0xe0000, size = 0x20000;
	const uint8_t *area = firmware_map(start, size);
	for (uint64_t at = 0; area && at < size; at += 16)
		if (memcmp(area + at, "RSD PTR ", 8) == 0 && sums_to_zero(area + at, 20))
			return (const void *)(area + at);
	return NULL;
}

const void *acpi_table(const char signature[4], size_t *size)
{
	for (unsigned i = 0; i < table_count; i++) {
		if (memcmp(tables[i]->signature, signature, 4) != 0)
			continue;
		if (size)
			*size = le32_get(tables[i]->length);
		return tables[i];
	}
	return NULL;
}

static void tables_find(const struct rsdp *rsdp)
{
	bool wide = rsdp->revision >= 2 && le64_get(rsdp->xsdt_phys);
	unsigned width = wide ? 8 : 4;
	const struct table *root =
		table_map(wide ? le64_get(rsdp->xsdt_phys) : le32_get(rsdp->rsdt_phys));
	if (!root)
		return;
	uint32_t length = le32_get(root->length);
	for (uint32_t at = sizeof(*root);
	     at + width <= length && table_count < TABLES_MAX; at += width) {
		const struct table *table = table_map(field(root, at, width));
		if (table)
			tables[table_count++] = table;
	}
	acpi_info.found = table_count > 0;
}

static void cpu_add(uint32_t apic_id, uint32_t flags)
{
	if (flags & 1 && acpi_info.cpu_count < ACPI_CPUS_MAX)
		acpi_info.cpu_apic_id[acpi_info.cpu_count++] = apic_id;
}

/* ACPI 6.4, 5.2.12. */
static void madt_read(void)
{
	size_t size;
	const uint8_t *madt = acpi_table("APIC", &size);
	for (size_t at = 44; madt && at + 2 <= size && madt[at + 1] >= 2;
	     at += madt[at + 1]) {
		const uint8_t *row = madt + at;
		unsigned type = row[0], length = row[1];
		if (at + length > size)
			break;
		if (type == 0 && length >= 8) {
			cpu_add(row[3], (uint32_t)field(row, 4, 4));
		} else if (type == 9 && length >= 16) {
			cpu_add((uint32_t)field(row, 4, 4), (uint32_t)field(row, 8, 4));
		} else if (type == 1 && length >= 12 &&
			   acpi_info.ioapic_count < ACPI_IOAPICS_MAX) {
			acpi_info.ioapic[acpi_info.ioapic_count++] = (struct acpi_ioapic){
				(uint32_t)field(row, 4, 4), (uint32_t)field(row, 8, 4)};
		} else if (type == 2 && length >= 10 && row[2] == 0 && row[3] < 16) {
			unsigned flags = (unsigned)field(row, 8, 2);
			acpi_info.isa[row[3]] = (struct acpi_isa_route){
				(uint32_t)field(row, 4, 4), (flags >> 2 & 3) == 3,
				(flags & 3) == 3};
		}
	}
}

/* A generic address structure (ACPI 6.4, 5.2.3.2): *space stays 0xff when it is empty. */
static void gas_read(const uint8_t *gas, uint8_t *space, uint64_t *address)
{
	*address = field(gas, 4, 8);
	if (*address && (gas[0] == 0 || gas[0] == 1))
		*space = gas[0];
}

/* One small integer of AML: ZeroOp, OneOp, BytePrefix. */
static bool aml_byte(const uint8_t **at, const uint8_t *end, uint16_t *value)
{
	if (*at >= end || (**at == 0x0a && end - *at < 2))
		return false;
	if (**at == 0x0a) {
		*value = (*at)[1];
		*at += 2;
		return true;
	}
	*value = *(*at)++;
	return *value <= 1;
}

/* Name (_S5, Package () {a, b, ...}) in the DSDT: 08 [5c] "_S5_" 12 length count a b. */
static void s5_read(const uint8_t *dsdt, size_t size)
{
	for (size_t i = sizeof(struct table); i + 7 < size; i++) {
		if (memcmp(dsdt + i, "_S5_\x12", 5) != 0 ||
		    (dsdt[i - 1] != 0x08 && dsdt[i - 1] != 0x5c))
			continue;
		const uint8_t *at = dsdt + i + 5, *end = dsdt + size;
		at += 1 + (*at >> 6); /* PkgLength */
		at++;                 /* NumElements */
		acpi_info.s5 = aml_byte(&at, end, &acpi_info.sleep_type[0]) &&
			       aml_byte(&at, end, &acpi_info.sleep_type[1]);
		return;
	}
}

/* ACPI 6.4, 5.2.9. */
static void fadt_read(void)
{
	size_t size;
	const uint8_t *fadt = acpi_table("FACP", &size);
	if (!fadt || size < 116)
		return;
	uint32_t flags = (uint32_t)field(fadt, 112, 4);
	uint64_t dsdt_phys = field(fadt, 40, 4);
	acpi_info.hardware_reduced = flags >> 20 & 1;
	if (!acpi_info.hardware_reduced) {
		acpi_info.pm_timer_port = (uint32_t)field(fadt, 76, 4);
		acpi_info.pm_timer_32bit = flags >> 8 & 1;
		acpi_info.pm1a_control = (uint16_t)field(fadt, 64, 4);
		acpi_info.pm1b_control = (uint16_t)field(fadt, 68, 4);
		acpi_info.smi_command = (uint16_t)field(fadt, 48, 4);
		acpi_info.acpi_enable = fadt[52];
	}
	if (size >= 129 && flags >> 10 & 1) {
		gas_read(fadt + 116, &acpi_info.reset_space, &acpi_info.reset_address);
		acpi_info.reset_value = fadt[128];
	}
	if (size >= 148 && field(fadt, 140, 8))
		dsdt_phys = field(fadt, 140, 8);
	if (size >= 268 && acpi_info.hardware_reduced)
		gas_read(fadt + 244, &acpi_info.sleep_space, &acpi_info.sleep_address);
	const struct table *dsdt = table_map(dsdt_phys);
	if (!dsdt)
		return;
	if (table_count < TABLES_MAX)
		tables[table_count++] = dsdt;
	s5_read((const uint8_t *)dsdt, le32_get(dsdt->length));
}

void acpi_init(uint64_t rsdp_phys)
{
	for (uint32_t i = 0; i < 16; i++)
		acpi_info.isa[i] = (struct acpi_isa_route){i, false, false};
	const struct rsdp *rsdp = rsdp_phys ? rsdp_at(rsdp_phys) : NULL;
	if (!rsdp)
		rsdp = rsdp_search();
	if (!rsdp)
		return;
	tables_find(rsdp);
	madt_read();
	fadt_read();
}
