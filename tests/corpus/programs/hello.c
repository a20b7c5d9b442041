/* Start-up, TLS, environment and buffered output; built static, static-PIE, dynamic,
 * musl. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static __thread int per_thread = 41;

int main(int argc, char **argv)
{
	per_thread++;
	printf("hello %d, %d arguments, last %s\n", per_thread, argc, argv[argc - 1]);
	printf("%.6f %s\n", sqrt(2.0), getenv("CORPUS") ? getenv("CORPUS") : "unset");
	errno = ENOENT;
	perror("expected");
	return time(NULL) > 1600000000 ? 3 : 1;
}
