/* idle.c: looking for frames, then halting. Under the kernel lock. */
#include "shim/proc/idle.h"

#include <stddef.h>

#include "shim/arch/x86_64/clock.h"
#include "shim/arch/x86_64/cpu.h"

static const struct idle_source *source;
static bool looking; /* one CPU at a time */
static bool delivered;
static uint64_t look_ns;

void idle_source_set(const struct idle_source *from)
{
	source = from;
}

void idle_source_delivered(void)
{
	delivered = true;
}

struct look {
	bool (*work)(const void *context);
	const void *context;
};

static bool is_found(const void *context)
{
	const struct look *look = context;
	return source->arrived() || look->work(look->context);
}

void idle_wait(uint64_t since_ns, bool (*work)(const void *context), const void *context)
{
	delivered = false;
	if (source && !looking && clock_now_ns() < since_ns + look_ns) {
		struct look look = {work, context};
		looking = true;
		source->silence();
		cpu_idle_until(is_found, &look, since_ns + look_ns);
		looking = false;
		source->listen();
	} else {
		cpu_idle();
	}
	if (delivered)
		look_ns = idle_look_next(look_ns, clock_now_ns() - since_ns);
}
