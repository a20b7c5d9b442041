/* test_net_sources.c: what the network stack must not contain: a way to open connections,
 * and what only a hosted program has. */
#include <dirent.h>
#include <stdio.h>

#include "tests/unit/net/lan.h"

/* Words that code of an active open would need. The one that makes a SYN must make an ACK
 * with it: tcp_syn_ack. */
static const char *const forbidden[] = {"SYN_SENT",    "SYN_RECEIVED", "SYN_RECV",
					"tcp_connect", "active_open",  "tcp_open",
					"ephemeral"};

/* The file without its comments. */
static char *read_code(const char *path)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char *text = calloc(1, 1 << 20);
	const size_t size = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	for (size_t i = 0; i + 1 < size; i++) {
		if (text[i] != '/' || text[i + 1] != '*')
			continue;
		for (; i + 1 < size && !(text[i] == '*' && text[i + 1] == '/'); i++)
			text[i] = ' ';
		text[i] = text[i + 1] = ' ';
	}
	return text;
}

static void no_source_of_tcp_opens_a_connection(void **state)
{
	DIR *directory = opendir(SHIM_NET);
	unsigned files = 0;
	(void)state;
	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));) {
		char path[1024];
		if (strncmp(entry->d_name, "tcp", 3))
			continue;
		snprintf(path, sizeof(path), "%s/%s", SHIM_NET, entry->d_name);
		char *code = read_code(path);
		for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
			assert_null(strstr(code, forbidden[i]));
		/* A SYN is sent in one place, and acknowledges one that came. */
		for (char *at = code; (at = strstr(at, "flags = TCP_SYN")); at++)
			assert_int_equal(strncmp(at, "flags = TCP_SYN | TCP_ACK", 25), 0);
		free(code);
		files++;
	}
	closedir(directory);
	assert_true(files >= 10);
}

static void pure_sources_include_nothing_of_the_kernel(void **state)
{
	static const char *const allowed[] = {"<stdbool.h>",
					      "<stddef.h>",
					      "<stdint.h>",
					      "<string.h>",
					      "\"shim/lib/errno.h\"",
					      "\"shim/lib/string.h\"",
					      "\"shim/net/stack.h\"",
					      "\"shim/net/tcp.h\"",
					      "\"shim/net/tcp_internal.h\"",
					      "\"shim/net/wire.h\"",
					      "\"shim/dev/netdev.h\""};
	FILE *list = fopen(SHIM_NET "/pure.cmake", "r");
	char line[512], path[1024], word[512];
	unsigned files = 0;
	(void)state;
	assert_non_null(list);
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, " ${CMAKE_CURRENT_LIST_DIR}/%511[a-z_.]", word) != 1)
			continue;
		snprintf(path, sizeof(path), "%s/%s", SHIM_NET, word);
		char *code = read_code(path);
		for (char *at = code; (at = strstr(at, "#include ")); at++) {
			bool good = false;
			for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
				good |= !strncmp(at + 9, allowed[i], strlen(allowed[i]));
			assert_true(good);
		}
		free(code);
		files++;
	}
	fclose(list);
	assert_true(files >= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_source_of_tcp_opens_a_connection),
		cmocka_unit_test(pure_sources_include_nothing_of_the_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
