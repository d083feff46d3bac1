/*
 * closed_form: recognises what libclamav does not say that it cannot read.
 *
 * Unknown compressed files are bytes like any other to it, and encrypted office documents are
 * containers whose parts happen to be noise. "Nothing found" is then true and misleading; the
 * provider answers `unsupported` or `encrypted` instead.
 *
 * Only signs are looked for that are part of the format, at places where it has them; nothing is
 * unpacked. It leaves out what has no sign: data that was encrypted as a whole looks like noise.
 */
#include "providers/clamav/closed_form.h"

#include <string.h>

struct magic {
    const char *bytes;
    size_t n_bytes;
};

#define MAGIC(text)                                                                                \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static const struct magic packed[] = {
    MAGIC("\x28\xb5\x2f\xfd"),           /* Zstandard */
    MAGIC("\x04\x22\x4d\x18"),           /* LZ4 */
    MAGIC("\x1f\x9d"),                   /* compress */
    MAGIC("LZIP"),                       /* lzip */
    MAGIC("\x89LZO\0\r\n\x1a\n"),        /* lzop */
    MAGIC("\xff\x06\0\0sNaPpY"),         /* Snappy, framed */
    MAGIC("**ACE**"),                    /* ACE has it at 7 */
    MAGIC("ZPAQ"),                       /* ZPAQ */
    MAGIC("!<arch>\ndebian-binary   "),  /* Debian package: ar is not opened */
    MAGIC("\xed\xab\xee\xdb"),           /* RPM package */
    MAGIC("hsqs"),                       /* SquashFS */
    MAGIC("age-encryption.org/v1"),      /* age */
    MAGIC("-----BEGIN PGP MESSAGE-----") /* OpenPGP, armoured */
};

static bool begins_with(const uint8_t *bytes, size_t n_bytes, const struct magic *magic)
{
    return n_bytes >= magic->n_bytes && memcmp(bytes, magic->bytes, magic->n_bytes) == 0;
}

/* LZMA has no magic, only a header of 13 bytes that looks the same whenever common tools made it:
 * the usual properties, a dictionary size of 2^n or 2^n + 2^(n-1), a length that is unknown or
 * sane, and the zero that the data begins with. */
static bool is_lzma(const uint8_t *bytes, size_t n_bytes)
{
    uint64_t length = 0;
    uint32_t dictionary = 0;
    uint32_t rest;

    if (n_bytes < 14 || bytes[0] != 0x5d || bytes[13] != 0) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        dictionary |= (uint32_t)bytes[1 + i] << 8 * i;
    }
    for (size_t i = 0; i < 8; i++) {
        length |= (uint64_t)bytes[5 + i] << 8 * i;
    }
    if (dictionary < 1u << 12) {
        return false;
    }
    rest = dictionary & (dictionary - 1);
    if (rest != 0 && (rest & (rest - 1)) != 0) {
        return false; /* more than two bits */
    }
    return length == UINT64_MAX || (length > 0 && length < 1ull << 38);
}

bool closed_form_is_packed(const uint8_t *bytes, size_t n_bytes)
{
    static const struct magic ace = MAGIC("**ACE**");

    for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
        if (begins_with(bytes, n_bytes, &packed[i])) {
            return true;
        }
    }
    if (n_bytes > 7 && begins_with(bytes + 7, n_bytes - 7, &ace)) {
        return true;
    }
    return is_lzma(bytes, n_bytes);
}

#define SECTOR_BYTES 512u

/* The start of a Word document's main stream: its identifier, and the flag that says
 * "encrypted". */
static bool is_encrypted_word(const uint8_t *at)
{
    return at[0] == 0xec && at[1] == 0xa5 && (at[11] & 0x01) != 0;
}

/* The start of a workbook: the first record, whose length varies, then FILEPASS or, before it,
 * WRITEPROTECT. `at` has SECTOR_BYTES. */
static bool is_encrypted_workbook(const uint8_t *at)
{
    size_t n = 4 + ((size_t)at[2] | (size_t)at[3] << 8);

    if (at[0] != 0x09 || at[1] != 0x08 || n > 64) {
        return false;
    }
    if (at[n] == 0x86 && at[n + 1] == 0 && at[n + 2] == 0 && at[n + 3] == 0) {
        n += 4;
    }
    return at[n] == 0x2f && at[n + 1] == 0;
}

/* UTF-16, as names of streams are. */
static bool has_name(const uint8_t *bytes, size_t n_bytes, const char *name)
{
    uint8_t wide[64];
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        wide[2 * i] = (uint8_t)name[i];
        wide[2 * i + 1] = 0;
    }
    return memmem(bytes, n_bytes, wide, 2 * n) != NULL;
}

bool closed_form_is_encrypted_ole2(const uint8_t *bytes, size_t n_bytes)
{
    if (has_name(bytes, n_bytes, "EncryptedPackage") ||
        has_name(bytes, n_bytes, "EncryptedSummary")) {
        return true;
    }
    for (size_t at = SECTOR_BYTES; at + SECTOR_BYTES <= n_bytes; at += SECTOR_BYTES) {
        if (is_encrypted_word(bytes + at) || is_encrypted_workbook(bytes + at)) {
            return true;
        }
    }
    return false;
}
