/* wall_clock.c: the time of day at boot: KVM's, else the real-time clock's (MC146818). */
#include "shim/arch/x86_64/clock_setup.h"
#include "shim/arch/x86_64/insn.h"
#include "shim/arch/x86_64/rtc_time.h"
#include "shim/lib/string.h"

enum { RTC_INDEX = 0x70, RTC_DATA = 0x71, RTC_STATUS_A = 10, RTC_STATUS_B = 11 };
#define UPDATE_READS_MAX 10000 /* an update takes 2 ms */
#define TRIES            4

static uint8_t rtc_read(uint8_t index)
{
	out8(RTC_INDEX, 0x80 | index); /* NMI stays as it is at reset: off */
	return in8(RTC_DATA);
}

static bool registers_read(struct rtc_registers *r)
{
	for (int i = 0; rtc_read(RTC_STATUS_A) & 0x80; i++)
		if (i == UPDATE_READS_MAX)
			return false; /* FF: there is none */
	r->second = rtc_read(0);
	r->minute = rtc_read(2);
	r->hour = rtc_read(4);
	r->day = rtc_read(7);
	r->month = rtc_read(8);
	r->year = rtc_read(9);
	r->status_b = rtc_read(RTC_STATUS_B);
	return true;
}

uint64_t wall_clock_read(void)
{
	uint64_t ns = kvm_clock_wall();
	if (ns)
		return ns;
	struct rtc_registers first, second;
	for (int i = 0; i < TRIES; i++) {
		if (!registers_read(&first) || !registers_read(&second))
			return 0;
		if (memcmp(&first, &second, sizeof(first)) == 0)
			return rtc_seconds(&first) * 1000000000;
	}
	return 0;
}
