/* fuzz_aws_json.c: a reply in JSON may be any bytes. */
#include "aws/encode.h"
#include "tests/fuzz/aws_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(FILE *to, const char *value)
{
	fputs("[", to);
	encode_json(to, value);
	fputs("]", to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_reader(rows_read_json, put, data, size);
	return 0;
}
