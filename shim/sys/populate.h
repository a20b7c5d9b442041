/* populate.h: filling in a range of the current process' memory, in mem.c. */
#ifndef SHIM_SYS_POPULATE_H
#define SHIM_SYS_POPULATE_H

#include "shim/mm/vm.h"

/* As vm_populate, with turns for others in between: the range may be all that there is of
 * addresses. VM_OK too when this thread has to die. */
enum vm_fault_result mem_populate(uint64_t start, uint64_t size, bool write);

#endif
