/* sign_lines.c: signs requests from standard input, one a line, for a test to compare:
 * method, path, query, payload, date, region, service, key, secret, then names and values
 * of headers, with a unit separator between them. Prints the Authorization header of
 * each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"

enum field { METHOD, PATH, QUERY, PAYLOAD, STAMP, REGION, SERVICE, KEY, SECRET, HEADERS };

#define FIELDS_MAX (HEADERS + 2 * SIGV4_HEADERS_MAX)

int main(void)
{
	char *line = NULL, *field[FIELDS_MAX + 1];
	size_t room = 0;
	while (getline(&line, &room, stdin) > 0) {
		struct sigv4_header headers[SIGV4_HEADERS_MAX];
		size_t count = 0;
		char *rest = line;
		line[strcspn(line, "\n")] = '\0';
		while (count < FIELDS_MAX && (field[count] = strsep(&rest, "\x1f")))
			count++;
		if (count < HEADERS)
			return 1;
		for (size_t i = HEADERS; i + 1 < count; i += 2)
			headers[(i - HEADERS) / 2] =
				(struct sigv4_header){field[i], field[i + 1]};
		const struct sigv4_request request = {
			field[METHOD], field[PATH],           field[QUERY],
			headers,       (count - HEADERS) / 2, field[PAYLOAD]};
		const struct sigv4_scope scope = {field[STAMP], field[REGION],
						  field[SERVICE]};
		char *text =
			sigv4_authorization(&request, &scope, field[KEY], field[SECRET]);
		if (!text)
			return 1;
		puts(text);
		free(text);
	}
	free(line);
	return 0;
}
