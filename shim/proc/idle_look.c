/* idle_look.c: how long looking is worth while (as Linux' haltpoll governor judges it).
 */
#include "shim/proc/idle.h"

uint64_t idle_look_next(uint64_t look_ns, uint64_t idle_ns)
{
	if (idle_ns > IDLE_LOOK_MOST_NS)
		return look_ns / 2 < IDLE_LOOK_FIRST_NS ? 0 : look_ns / 2;
	if (idle_ns <= look_ns)
		return look_ns;
	if (look_ns < IDLE_LOOK_FIRST_NS)
		return IDLE_LOOK_FIRST_NS;
	return look_ns * 2 < IDLE_LOOK_MOST_NS ? look_ns * 2 : IDLE_LOOK_MOST_NS;
}
