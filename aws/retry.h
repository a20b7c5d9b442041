/* retry.h: which answers are worth another try, and when. Pure but for the dice. */
#ifndef ELFPACK_AWS_RETRY_H
#define ELFPACK_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum failure {
	FAILURE_NONE,
	FAILURE_FINAL,    /* another try would fail as well */
	FAILURE_PASSING,  /* 5xx, lost connections */
	FAILURE_BUSY,     /* throttled: with more patience */
	FAILURE_UNREACHED /* nobody there: with less patience */
};

/* What an answer's status and AWS's code in it mean. */
enum failure retry_classify(long status, const char *code);
bool retry_again(enum failure failure, unsigned attempts);
/* Anything up to a bound that doubles with each attempt, so that clients that failed
 * together do not come back together. */
uint64_t retry_delay_ms(unsigned attempts, uint64_t random);

#endif
