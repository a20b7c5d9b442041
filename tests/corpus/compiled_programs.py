"""compiled_programs.py: more than twenty C and C++ programs of different kinds, which an image's
clang has to compile to the bytes that the host's gives."""
import dataclasses

SORT = b"""#include <stdio.h>
#include <stdlib.h>
static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(void)
{
	int all[64];
	for (int i = 0; i < 64; i++)
		all[i] = i * 37 % 64;
	qsort(all, 64, sizeof(*all), order);
	for (int i = 0; i < 64; i += 9)
		printf("%d\\n", all[i]);
}
"""
FLOATS = b"""#include <math.h>
#include <stdio.h>
double length(const double *x, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += x[i] * x[i];
	return sqrt(sum);
}
int main(void)
{
	double x[32];
	for (int i = 0; i < 32; i++)
		x[i] = i / 3.0;
	printf("%.9f\\n", length(x, 32));
}
"""
THREADS = b"""#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_int sum;
static _Thread_local int mine;
static void *add(void *n) { mine = (int)(long)n; sum += mine; return 0; }
int main(void)
{
	pthread_t t[4];
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], 0, add, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], 0);
	printf("%d\\n", sum);
}
"""
GOTO = b"""#include <stdio.h>
int main(void)
{
	static void *op[] = {&&add, &&twice, &&end};
	const unsigned char code[] = {0, 1, 0, 1, 2};
	int n = 0, at = 0;
	goto *op[code[at]];
add:	n++; goto *op[code[++at]];
twice:	n *= 2; goto *op[code[++at]];
end:	return printf("%d\\n", n) < 0;
}
"""
VECTORS = b"""#include <immintrin.h>
#include <stdio.h>
int main(void)
{
	__m128i a = _mm_set_epi32(1, 2, 3, 4);
	printf("%d\\n", _mm_cvtsi128_si32(_mm_add_epi32(a, a)));
}
"""
ASSEMBLY = b"""int main(void) { int n; __asm__("mov $40, %0; add $2, %0" : "=r"(n)); return n != 42; }
"""
MAPS = b"""#include <iostream>
#include <map>
#include <string>
int main()
{
	std::map<std::string, int> places{{"a", 1}, {"b", 2}};
	for (auto &[name, place] : places)
		std::cout << name << place << '\\n';
}
"""
THROWS = b"""#include <cstdio>
#include <stdexcept>
struct guard { ~guard() { std::puts("left"); } };
static void fail() { guard g; throw std::runtime_error("thrown"); }
int main()
{
	try {
		fail();
	} catch (const std::exception &e) {
		std::puts(e.what());
	}
}
"""
TEMPLATES = b"""#include <array>
#include <cstdio>
#include <numeric>
template <int n> struct fib {
	static constexpr long value = fib<n - 1>::value + fib<n - 2>::value;
};
template <> struct fib<0> { static constexpr long value = 0; };
template <> struct fib<1> { static constexpr long value = 1; };
int main()
{
	std::array<long, 3> a{fib<30>::value, fib<40>::value, fib<50>::value};
	std::printf("%ld\\n", std::accumulate(a.begin(), a.end(), 0L));
}
"""
VIRTUAL = b"""#include <cstdio>
#include <memory>
#include <vector>
struct shape { virtual ~shape() = default; virtual int area() const = 0; };
struct square : shape {
	int side;
	explicit square(int n) : side(n) {}
	int area() const override { return side * side; }
};
int main()
{
	std::vector<std::unique_ptr<shape>> all;
	int sum = 0;
	for (int i = 1; i < 4; i++)
		all.push_back(std::make_unique<square>(i));
	for (auto &s : all)
		sum += s->area();
	std::printf("%d\\n", sum);
}
"""
LAMBDAS = b"""#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>
int main()
{
	std::vector<int> v{3, 1, 2};
	std::sort(v.begin(), v.end(), [](int a, int b) { return a > b; });
	std::function<int(int)> at = [&](int i) { return v[i]; };
	std::printf("%d%d%d\\n", at(0), at(1), at(2));
}
"""
UNITS = {
    "main.c": b'#include "parts/x.h"\n#include <stdio.h>\n'
              b'int main(void) { printf("%d\\n", twice(21)); }\n',
    "src/x.c": b'#include "../inc/parts/x.h"\nint twice(int n) { return n + n; }\n',
    "inc/parts/x.h": b"int twice(int);\n"}
CXX_UNITS = {
    "main.cc": b'#include "x.hh"\n#include <iostream>\n'
               b'int main() { std::cout << name(3) << "\\n"; }\n',
    "src/x.cc": b'#include "x.hh"\nstd::string name(int n) { return std::string(n, \'x\'); }\n',
    "inc/x.hh": b"#pragma once\n#include <string>\nstd::string name(int);\n"}
MIXED = {"main.cc": b'extern "C" int low(int);\nint main() { return low(41) != 42; }\n',
         "low.s": b".globl low\nlow: lea 1(%rdi), %eax\nret\n.section .note.GNU-stack\n"}
CXX = ("--driver-mode=g++",)


@dataclasses.dataclass(frozen=True)
class Program:
    kind: str
    files: dict
    arguments: tuple


def c(kind, source, *arguments):
    return Program(kind, {"p.c": source}, ("p.c", *arguments))


def cc(kind, source, *arguments):
    return Program(kind, {"p.cc": source}, ("p.cc", *CXX, *arguments))


DEBUG = ("-g", "-fdebug-compilation-dir=.")
PROGRAMS = (
    c("C -O0", SORT, "-O0"),
    c("C -O1", SORT, "-O1"),
    c("C -O2", SORT, "-O2"),
    c("C -O3, vectorised", FLOATS, "-O3", "-lm"),
    c("C -Os, C99", SORT, "-Os", "-std=c99"),
    c("C -g", SORT, *DEBUG),
    c("C static", SORT, "-static", "-O2"),
    c("C threads", THREADS, "-O2", "-pthread"),
    c("C computed goto, stripped", GOTO, "-O2", "-s"),
    c("C intrinsics", VECTORS, "-O2", "-msse4.2"),
    c("C inline assembly, no PIE", ASSEMBLY, "-no-pie"),
    c("C linked by lld", SORT, "-fuse-ld=lld", "-O2"),
    c("C LTO", FLOATS, "-flto", "-fuse-ld=lld", "-O2", "-lm"),
    Program("C of several files, headers in folders", UNITS, ("-Iinc", "main.c", "src/x.c", "-O1")),
    cc("C++ containers -O2", MAPS, "-O2", "-std=c++17"),
    cc("C++ exceptions -g", THROWS, "-O1", *DEBUG),
    cc("C++ templates", TEMPLATES, "-O3", "-std=c++20"),
    cc("C++ virtual functions, static", VIRTUAL, "-O2", "-static"),
    cc("C++ lambdas -O0", LAMBDAS, "-O0"),
    Program("C++ of several files, LTO", CXX_UNITS,
            (*CXX, "-Iinc", "main.cc", "src/x.cc", "-O2", "-flto", "-fuse-ld=lld")),
    Program("C++ and assembler", MIXED, (*CXX, "main.cc", "low.s")),
)
