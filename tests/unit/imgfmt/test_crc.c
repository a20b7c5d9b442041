/* test_crc.c: the check values of the CRC catalogue: the checksum of "123456789". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "imgfmt/crc.h"

static void crc32_of_the_check_string(void **state)
{
	(void)state;
	assert_int_equal(crc32_ieee("123456789", 9), 0xcbf43926); /* CRC-32/ISO-HDLC */
	assert_int_equal(crc32_ieee("", 0), 0);
}

static void crc32c_of_the_check_string(void **state)
{
	(void)state;
	/* CRC-32/ISCSI is 0xe3069283; EROFS leaves the last inversion out. */
	assert_int_equal(crc32c_raw("123456789", 9) ^ 0xffffffff, 0xe3069283);
}

static void crc32c_of_32_zeros(void **state)
{
	static const uint8_t zeros[32];
	(void)state;
	/* RFC 3720, B.4: "aa 36 91 8a", sent low byte first. */
	assert_int_equal(crc32c_raw(zeros, sizeof(zeros)) ^ 0xffffffff, 0x8a9136aa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32_of_the_check_string),
		cmocka_unit_test(crc32c_of_the_check_string),
		cmocka_unit_test(crc32c_of_32_zeros),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
