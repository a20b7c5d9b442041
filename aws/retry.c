/* retry.c: which answers are worth another try, and when. */
#include <stddef.h>
#include <string.h>

#include "aws/retry.h"

#define FIRST_DELAY_MS 100u
#define MOST_DELAY_MS  5000u

static const unsigned most_attempts[] = {[FAILURE_NONE] = 0,
					 [FAILURE_FINAL] = 0,
					 [FAILURE_PASSING] = 8,
					 [FAILURE_BUSY] = 20,
					 [FAILURE_UNREACHED] = 4};

static bool is_throttling(const char *code)
{
	static const char *const codes[] = {"RequestLimitExceeded",
					    "RequestThrottled",
					    "RequestThrottledException",
					    "Throttling",
					    "ThrottlingException",
					    "ThrottledException",
					    "TooManyRequestsException",
					    "PriorRequestNotComplete",
					    "SlowDown",
					    "EC2ThrottledException",
					    "BandwidthLimitExceeded",
					    "SnapshotCreationPerVolumeRateExceeded"};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

enum failure retry_classify(long status, const char *code)
{
	if (status >= 200 && status < 300)
		return FAILURE_NONE;
	if (is_throttling(code) || status == 429)
		return FAILURE_BUSY;
	return status >= 500 || status == 408 ? FAILURE_PASSING : FAILURE_FINAL;
}

bool retry_again(enum failure failure, unsigned attempts)
{
	return attempts < most_attempts[failure];
}

uint64_t retry_delay_ms(unsigned attempts, uint64_t random)
{
	uint64_t bound = FIRST_DELAY_MS;
	while (--attempts && bound < MOST_DELAY_MS)
		bound *= 2;
	return random % ((bound < MOST_DELAY_MS ? bound : MOST_DELAY_MS) + 1);
}
