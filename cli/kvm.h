/* kvm.h: can this machine run guests with KVM? */
#ifndef ELFPACK_CLI_KVM_H
#define ELFPACK_CLI_KVM_H

#include <stdbool.h>

/* True only if a CPU has vmx or svm, /dev/kvm opens, and a trial machine of one page
 * really ran an instruction. Otherwise *why is a static string. */
bool kvm_works(const char **why);

#endif
