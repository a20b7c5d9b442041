/* fuzz_aws_xml.c: a reply in XML may be any bytes. */
#include "tests/fuzz/aws_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(FILE *to, const char *value)
{
	fputs("<r><v>", to);
	for (; *value; value++)
		if (strchr("&<>\r", *value)) /* XML 1.0, 2.4 and 2.11 */
			fprintf(to, "&#%d;", *value);
		else
			fputc(*value, to);
	fputs("</v></r>", to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_reader(rows_read_xml, put, data, size);
	return 0;
}
