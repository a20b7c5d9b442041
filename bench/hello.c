/* hello.c: the program that both sides of the comparison run for each request. Under CGI
 * the program itself must say what it sends. */
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	static const char cgi[] = "Content-Type: text/plain\r\n\r\nhello\n";
	static const char plain[] = "hello\n";
	const char *text = getenv("GATEWAY_INTERFACE") ? cgi : plain;
	size_t size = text == cgi ? sizeof(cgi) - 1 : sizeof(plain) - 1;
	return write(1, text, size) != (ssize_t)size;
}
