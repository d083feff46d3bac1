/*
 * Whether content is of a form that hides what it holds: archives, compressed files, disk images,
 * office documents, PDF, mail with encoded parts.
 *
 * For one question only: may an engine that looks at the bytes as they are say that it has looked
 * at everything? It decides by what readers of these forms go by, marks and structure, never by a
 * name. It unpacks nothing and says nothing about whether the content is whole. A PDF or an RTF
 * counts always, for both write strings in codes of their own; a ZIP also at the end of something
 * else, as readers find it there (self-extracting, JAR, picture with an archive behind it).
 *
 * Pictures, sound, fonts and programs are left out: their compression holds no files. So are
 * archives behind a program or a script, other than ZIP, and CAB, 7z and RAR behind a Windows one;
 * and forms that nobody's engine here unpacks.
 */
#include "base/packed_form.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define TAR_BLOCK_BYTES  512u
#define ZIP_END_BYTES    22u
#define ZIP_COMMENT_MAX  65535u
#define DMG_TRAIL_BYTES  512u
#define PDF_MARK_REACH   1024u /* readers look for the mark that far */
#define MAIL_BEGIN_REACH 8u    /* lines */

struct mark {
    const char *name;
    size_t offset;
    const char *bytes;
    size_t n_bytes;
};

#define MARK(name, offset, bytes)                                                                  \
    {                                                                                              \
        name, offset, bytes, sizeof(bytes) - 1                                                     \
    }

/* At a fixed place. Longer ones where a short one is a likely beginning of text. */
static const struct mark marks[] = {
    MARK("zip", 0, "PK\x03\x04"),
    MARK("zip", 0, "PK\x05\x06"),
    MARK("zip", 0, "PK\x07\x08"),
    MARK("zip", 0, "PK00PK\x03\x04"),
    MARK("gzip", 0, "\x1f\x8b"),
    MARK("compress", 0, "\x1f\x9d"),
    MARK("compress", 0, "\x1f\xa0"),
    MARK("pack", 0, "\x1f\x1e"),
    MARK("bzip2", 4, "1AY&SY"),
    MARK("bzip2", 4, "\x17rE8P\x90"),
    MARK("xz", 0, "\xfd\x37zXZ\0"),
    MARK("lzma", 0, "\x5d\0\0"),
    MARK("lzip", 0, "LZIP\x01"),
    MARK("lzop", 0, "\x89LZO\0\r\n\x1a\n"),
    MARK("lz4", 0, "\x04\x22\x4d\x18"),
    MARK("lz4", 0, "\x02\x21\x4c\x18"),
    MARK("zstd", 0, "\x28\xb5\x2f\xfd"),
    MARK("7z", 0, "7z\xbc\xaf\x27\x1c"),
    MARK("rar", 0, "Rar!\x1a\x07"),
    MARK("rar", 0, "RE~^"),
    MARK("cab", 0, "MSCF\0\0\0\0"),
    MARK("cab", 0, "ISc("),
    MARK("ole", 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    MARK("onenote", 0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"),
    MARK("tnef", 0, "\x78\x9f\x3e\x22"),
    MARK("outlook", 0, "!BDN"),
    MARK("chm", 0, "ITSF\x03\0\0\0"),
    MARK("rtf", 0, "{\\rt"),
    MARK("ar", 0, "!<arch>\n"),
    MARK("cpio", 0, "\xc7\x71"),
    MARK("cpio", 0, "\x71\xc7"),
    MARK("rpm", 0, "\xed\xab\xee\xdb"),
    MARK("xar", 0, "xar!\0"),
    MARK("arj", 0, "\x60\xea"),
    MARK("ace", 7, "**ACE**"),
    MARK("alz", 0, "ALZ\x01"),
    MARK("egg", 0, "EGGA"),
    MARK("wim", 0, "MSWIM\0\0\0"),
    MARK("crx", 0, "Cr24"),
    MARK("squashfs", 0, "hsqs"),
    MARK("squashfs", 0, "sqsh"),
    MARK("tar", 257, "ustar"),
    MARK("iso", 32769, "CD001"),
    MARK("iso", 37633, "CD001"), /* raw sectors of 2352 bytes */
    MARK("iso", 32769, "BEA01"), /* UDF */
};

static const struct mark behind_windows_program[] = {
    MARK("cab", 0, "MSCF\0\0\0\0"),
    MARK("7z", 0, "7z\xbc\xaf\x27\x1c"),
    MARK("rar", 0, "Rar!\x1a\x07"),
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static bool has_at(const uint8_t *bytes, size_t n_bytes, size_t at, const char *text, size_t n_text)
{
    return at <= n_bytes && n_text <= n_bytes - at && memcmp(bytes + at, text, n_text) == 0;
}

/* memmem() by a byte of the mark that other content seldom has: memchr() is many times as fast. */
static const uint8_t *find_mark(const uint8_t *bytes, size_t n_bytes, const char *mark,
                                size_t n_mark, size_t rare)
{
    size_t at = rare;

    while (n_mark <= n_bytes && at < n_bytes - n_mark + rare + 1) {
        const uint8_t *place = memchr(bytes + at, mark[rare], n_bytes - n_mark + rare + 1 - at);

        if (!place) {
            return NULL;
        }
        if (memcmp(place - rare, mark, n_mark) == 0) {
            return place - rare;
        }
        at = (size_t)(place - bytes) + 1;
    }
    return NULL;
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "-lh5-", "-lzs-". */
static bool is_lha(const uint8_t *bytes, size_t n_bytes)
{
    return has_at(bytes, n_bytes, 2, "-l", 2) && has_at(bytes, n_bytes, 6, "-", 1) &&
           (bytes[4] == 'h' || bytes[4] == 'z') && is_letter_or_digit(bytes[5]);
}

/* A text may begin with such a number, but not with that many digits. */
static bool is_ascii_cpio(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 76 || !has_at(bytes, n_bytes, 0, "07070", 5)) {
        return false;
    }
    for (size_t i = 5; i < 76; i++) {
        if (!is_letter_or_digit(bytes[i])) {
            return false;
        }
    }
    return true;
}

/* The fourth byte is a version, which no letter is. */
static bool is_packed_flash(const uint8_t *bytes, size_t n_bytes)
{
    return (has_at(bytes, n_bytes, 0, "CWS", 3) || has_at(bytes, n_bytes, 0, "ZWS", 3)) &&
           n_bytes > 8 && bytes[3] > 0 && bytes[3] < '0' && bytes[3] != ' ' && bytes[3] != '\n' &&
           bytes[3] != '\t' && bytes[3] != '\r';
}

static uint32_t le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* The record at the end, and where it says that the directory is, indeed a directory. */
static bool is_zip_end(const uint8_t *bytes, size_t at)
{
    uint32_t n_directory = le32(bytes + at + 12);

    if (at >= 20 && memcmp(bytes + at - 20, "PK\x06\x07", 4) == 0) {
        return true; /* ZIP64 */
    }
    return n_directory >= 4 && n_directory <= at &&
           memcmp(bytes + at - n_directory, "PK\x01\x02", 4) == 0;
}

static bool has_zip_end(const uint8_t *bytes, size_t n_bytes)
{
    size_t reach = ZIP_END_BYTES + ZIP_COMMENT_MAX;
    size_t at = n_bytes > reach ? n_bytes - reach : 0;

    while (n_bytes - at >= ZIP_END_BYTES) {
        const uint8_t *place = find_mark(bytes + at, n_bytes - at, "PK\x05\x06", 4, 2);

        if (!place || (size_t)(place - bytes) > n_bytes - ZIP_END_BYTES) {
            return false;
        }
        at = (size_t)(place - bytes);
        if (is_zip_end(bytes, at)) {
            return true;
        }
        at++;
    }
    return false;
}

/* A header of before 1988 has no mark, but a sum. */
static bool is_old_tar(const uint8_t *bytes, size_t n_bytes)
{
    uint32_t sum = 0, stated = 0;
    size_t at = 148;

    if (n_bytes < TAR_BLOCK_BYTES || bytes[0] == '\0') {
        return false;
    }
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++) {
        sum += i >= 148 && i < 156 ? ' ' : bytes[i];
    }
    while (at < 156 && bytes[at] == ' ') {
        at++;
    }
    for (; at < 156 && bytes[at] >= '0' && bytes[at] <= '7'; at++) {
        stated = stated << 3 | (uint32_t)(bytes[at] - '0');
    }
    return stated == sum;
}

/* "Name:" as headers have it, the separator of an mbox, or a boundary. */
static bool is_mail_line(const uint8_t *line, size_t n)
{
    size_t i = 0;

    while (i < n && (is_letter_or_digit(line[i]) || line[i] == '-' || line[i] == '_')) {
        i++;
    }
    if (i > 0 && i < n && line[i] == ':') {
        return true;
    }
    return has_at(line, n, 0, "From ", 5) || has_at(line, n, 0, ">From ", 6) ||
           has_at(line, n, 0, "--", 2);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"';
}

/* The value may stand on the next line. What is not one of the three plain ones is an encoding. */
static bool is_encoding(const uint8_t *value, size_t n)
{
    static const char *const plain[] = {"7bit", "8bit", "binary"};
    size_t i = 0;

    while (i < n && is_space(value[i])) {
        i++;
    }
    for (size_t j = 0; j < N_ELEMENTS(plain); j++) {
        size_t n_plain = strlen(plain[j]);

        if (n - i >= n_plain && strncasecmp((const char *)value + i, plain[j], n_plain) == 0 &&
            (n - i == n_plain || !is_letter_or_digit(value[i + n_plain]))) {
            return false;
        }
    }
    return i < n;
}

static bool is_encoded_part(const uint8_t *line, size_t n_left)
{
    static const char header[] = "content-transfer-encoding";
    size_t n = sizeof(header) - 1;

    if (n_left > n && strncasecmp((const char *)line, header, n) == 0) {
        while (n < n_left && (line[n] == ' ' || line[n] == '\t')) {
            n++;
        }
        return n < n_left && line[n] == ':' && is_encoding(line + n + 1, n_left - n - 1);
    }
    /* uuencode: "begin 644 name" */
    return has_at(line, n_left, 0, "begin ", 6) && n_left > 10 && line[6] >= '0' &&
           line[6] <= '7' && line[7] >= '0' && line[7] <= '7' && line[8] >= '0' && line[8] <= '7';
}

static bool is_encoded_mail(const uint8_t *bytes, size_t n_bytes)
{
    bool is_mail = false;
    size_t at = 0;

    for (size_t n_lines = 0; at < n_bytes; n_lines++) {
        const uint8_t *end = memchr(bytes + at, '\n', n_bytes - at);
        size_t next = end ? (size_t)(end - bytes) + 1 : n_bytes;

        is_mail = is_mail || is_mail_line(bytes + at, next - at);
        if (!is_mail && n_lines >= MAIL_BEGIN_REACH) {
            return false;
        }
        if (is_mail && is_encoded_part(bytes + at, n_bytes - at)) {
            return true;
        }
        at = next;
    }
    return false;
}

static const char *program_tail(const uint8_t *bytes, size_t n_bytes)
{
    if (!has_at(bytes, n_bytes, 0, "MZ", 2)) {
        return NULL;
    }
    for (size_t i = 0; i < N_ELEMENTS(behind_windows_program); i++) {
        const struct mark *mark = &behind_windows_program[i];

        if (memmem(bytes, n_bytes, mark->bytes, mark->n_bytes)) {
            return mark->name;
        }
    }
    return NULL;
}

const char *packed_form_name(const uint8_t *bytes, size_t n_bytes)
{
    size_t n_begin = n_bytes < PDF_MARK_REACH ? n_bytes : PDF_MARK_REACH;

    for (size_t i = 0; i < N_ELEMENTS(marks); i++) {
        if (has_at(bytes, n_bytes, marks[i].offset, marks[i].bytes, marks[i].n_bytes)) {
            return marks[i].name;
        }
    }
    /* Skippable frames of zstd and lz4: 0x184d2a50 to 0x184d2a5f. */
    if (n_bytes >= 4 && (le32(bytes) & 0xfffffff0u) == 0x184d2a50u) {
        return "zstd";
    }
    if (is_lha(bytes, n_bytes)) {
        return "lha";
    }
    if (is_ascii_cpio(bytes, n_bytes)) {
        return "cpio";
    }
    if (is_packed_flash(bytes, n_bytes)) {
        return "flash";
    }
    if (find_mark(bytes, n_begin, "%PDF-", 5, 0)) {
        return "pdf";
    }
    if (is_old_tar(bytes, n_bytes)) {
        return "tar";
    }
    if (n_bytes >= DMG_TRAIL_BYTES &&
        has_at(bytes, n_bytes, n_bytes - DMG_TRAIL_BYTES, "koly", 4)) {
        return "dmg";
    }
    if (has_zip_end(bytes, n_bytes)) {
        return "zip";
    }
    if (is_encoded_mail(bytes, n_bytes)) {
        return "mail";
    }
    return program_tail(bytes, n_bytes);
}
