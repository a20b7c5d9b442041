/* archive_refused.c: what libarchive's zip format would use of other libraries: methods
 * that few zips have (bzip2, LZMA, xz, Zstandard), encryption, and character sets. Here
 * they fail, which libarchive reports as an entry that cannot be read; the libraries stay
 * out of the image. Their real prototypes do not matter: all arguments are ignored. Only
 * libarchive sees these functions: see CMakeLists.txt. */
#include <stddef.h>
#include <sys/random.h>

#define FAILS(name)                                                                      \
	int name(void);                                                                  \
	int name(void)                                                                   \
	{                                                                                \
		return -1;                                                               \
	}

FAILS(BZ2_bzDecompressInit)
FAILS(BZ2_bzDecompress)
FAILS(BZ2_bzDecompressEnd)
FAILS(lzma_alone_decoder)
FAILS(lzma_stream_decoder)
FAILS(lzma_code)
FAILS(lzma_end)
FAILS(ZSTD_initDStream)
FAILS(ZSTD_decompressStream)
FAILS(ZSTD_freeDStream)
FAILS(ZSTD_isError)
FAILS(nettle_pbkdf2_hmac_sha1)
FAILS(nettle_hmac_sha1_set_key)
FAILS(nettle_hmac_sha1_update)
FAILS(nettle_hmac_sha1_digest)
FAILS(nettle_aes128_set_encrypt_key)
FAILS(nettle_aes128_encrypt)
FAILS(nettle_aes192_set_encrypt_key)
FAILS(nettle_aes192_encrypt)
FAILS(nettle_aes256_set_encrypt_key)
FAILS(nettle_aes256_encrypt)

void *ZSTD_createDStream(void);
void *ZSTD_createDStream(void)
{
	return NULL;
}

size_t ZSTD_DStreamOutSize(void);
size_t ZSTD_DStreamOutSize(void)
{
	return 1;
}

const char *ZSTD_getErrorName(size_t code);
const char *ZSTD_getErrorName(size_t code)
{
	(void)code;
	return "";
}

/* What Debian's libarchive expects of its C library, and musl lacks. */
unsigned gnu_dev_major(unsigned long long device)
{
	return (unsigned)((device >> 8 & 0xfff) | (device >> 32 & ~0xfffu));
}

unsigned gnu_dev_minor(unsigned long long device)
{
	return (unsigned)((device & 0xff) | (device >> 12 & ~0xffu));
}

unsigned long long gnu_dev_makedev(unsigned major_number, unsigned minor_number)
{
	unsigned long long high = major_number, low = minor_number;
	return (low & 0xff) | (high & 0xfff) << 8 | (low & ~0xffull) << 12 |
	       (high & ~0xfffull) << 32;
}

void arc4random_buf(void *bytes, size_t size)
{
	ssize_t ignored = getrandom(bytes, size, 0);
	(void)ignored; /* salts of encryption, which is refused */
}

/* Names are taken as UTF-8 whatever the locale, and nothing is translated. */
char *nl_langinfo(int item);
char *nl_langinfo(int item)
{
	static char utf8[] = "UTF-8";
	(void)item;
	return utf8;
}

void *iconv_open(void);
void *iconv_open(void)
{
	return (void *)-1;
}

FAILS(iconv)
FAILS(iconv_close)
