/*
 * feed_csv: tables as abuse.ch gives them, and others whose first line names the columns.
 *
 * The names of the columns are taken from the first line that is not a comment, or from the last
 * comment before it that has one for a hash (MalwareBazaar, ThreatFox, URLhaus). Without such a
 * line nothing is taken: these tables also have MD5s of import tables and icons, and no hash says
 * by itself what it is of.
 *
 * A field may be quoted, with a blank before the quote; a quote within is written twice. A field
 * that is empty or says n/a states nothing. Quoted fields that go on in the next line are refused.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "providers/hashlist/build/feed_text.h"

struct csv_row {
    struct {
        const char *text; /* in `bytes` */
        size_t n;
    } fields[FEED_COLUMNS_MAX];
    size_t n_fields;
    char bytes[16384]; /* TEXT_LINE_BYTES_MAX: unquoting never makes it longer */
    size_t n_bytes;
};

/* The rest of a quoted field, behind its first quote; returns what is behind it, or NULL. */
static const char *quoted_read(struct csv_row *row, const char *line, const char *end)
{
    while (line < end) {
        if (*line == '"' && (++line == end || *line != '"')) {
            while (line < end && (*line == ' ' || *line == '\t')) {
                line++;
            }
            return line == end || *line == ',' ? line : NULL;
        }
        row->bytes[row->n_bytes++] = *line++;
    }
    return NULL;
}

/* Reads one field from `line`; returns what is behind it, or NULL when a quote is wrong. */
static const char *field_read(struct csv_row *row, const char *line, const char *end)
{
    size_t start = row->n_bytes;
    const char *text = row->bytes + start;
    size_t n;

    while (line < end && (*line == ' ' || *line == '\t')) {
        line++;
    }
    if (line < end && *line == '"') {
        line = quoted_read(row, line + 1, end);
    } else {
        while (line < end && *line != ',') {
            row->bytes[row->n_bytes++] = *line++;
        }
    }
    n = row->n_bytes - start;
    text_trim(&text, &n);
    row->fields[row->n_fields].text = text;
    row->fields[row->n_fields].n = n;
    row->n_fields++;
    return line;
}

/* NULL, or what is wrong with the line. */
static const char *row_read(struct csv_row *row, const char *line, size_t n_line)
{
    const char *end = line + n_line;

    row->n_fields = 0;
    row->n_bytes = 0;
    if (n_line > sizeof(row->bytes)) {
        return "longer than a line may be";
    }
    for (;;) {
        if (row->n_fields == FEED_COLUMNS_MAX) {
            return "more than 64 fields";
        }
        line = field_read(row, line, end);
        if (!line) {
            return "a quote is not closed, or something follows it";
        }
        if (line == end) {
            return NULL;
        }
        line++;
    }
}

/* Letters and digits of a column's name, in lower case. */
static void column_name(char ret_name[24], const char *text, size_t n_text)
{
    size_t n = 0;

    for (size_t i = 0; i < n_text && n < 23; i++) {
        if (isalnum((unsigned char)text[i])) {
            ret_name[n++] = (char)tolower((unsigned char)text[i]);
        }
    }
    ret_name[n] = '\0';
}

static int place_in(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *const hash_columns[][6] = {
    [LIST_SHA256] = {"sha256", "sha256hash", "hashsha256", "filesha256", NULL},
    [LIST_SHA1] = {"sha1", "sha1hash", "hashsha1", "filesha1", NULL},
    [LIST_MD5] = {"md5", "md5hash", "hashmd5", "filemd5", NULL},
};
static const char *const any_columns[] = {"hash", "filehash", "iocvalue", "ioc", NULL};
static const char *const type_columns[] = {"ioctype", "type", "hashtype", NULL};
/* The one that comes first here says most. */
static const char *const name_columns[] = {"signature", "malwareprintable", "malware",
                                           "detection", "family",           "threatname",
                                           "name",      "threat",           NULL};

bool feed_csv_header(struct csv_columns *columns, const char *line, size_t n_line)
{
    static struct csv_row row;
    struct csv_columns found = {.hashes = {-1, -1, -1}, .any_hash = -1, .type = -1, .name = -1};
    bool has_hash = false;
    int best_name = INT32_MAX;
    char name[24];

    while (n_line > 0 && (*line == '#' || *line == ' ')) {
        line++;
        n_line--;
    }
    if (n_line == 0 || row_read(&row, line, n_line)) {
        return false;
    }
    for (size_t i = 0; i < row.n_fields; i++) {
        column_name(name, row.fields[i].text, row.fields[i].n);
        for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
            if (place_in(hash_columns[a], name) >= 0) {
                found.hashes[a] = (int)i;
                has_hash = true;
            }
        }
        if (place_in(any_columns, name) >= 0) {
            found.any_hash = (int)i;
            has_hash = true;
        }
        if (strcmp(name, "listingreason") == 0) {
            return false; /* SSLBL: its SHA-1s are of certificates */
        }
        found.type = place_in(type_columns, name) >= 0 ? (int)i : found.type;
        if (place_in(name_columns, name) >= 0 && place_in(name_columns, name) < best_name) {
            best_name = place_in(name_columns, name);
            found.name = (int)i;
        }
    }
    found.n_columns = row.n_fields;
    /* One word that happens to be "hash" is a comment, not a table of one column. */
    if (!has_hash || (row.n_fields == 1 && found.any_hash == 0)) {
        return false;
    }
    *columns = found;
    return true;
}

size_t feed_csv_fields(const char *line, size_t n_line)
{
    static struct csv_row row;

    return row_read(&row, line, n_line) ? 0 : row.n_fields;
}

static bool is_absent(const char *text, size_t n)
{
    return n == 0 || (n == 1 && *text == '-') || (n == 3 && strncasecmp(text, "n/a", 3) == 0) ||
           (n == 4 && (strncasecmp(text, "none", 4) == 0 || strncasecmp(text, "null", 4) == 0));
}

/* ThreatFox has every sort of indicator in one table. Which algorithm the type names; -1: no
 * hash. */
static int type_algorithm(const struct csv_row *row, int type)
{
    char name[24];

    column_name(name, row->fields[type].text, row->fields[type].n);
    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        if (place_in(hash_columns[a], name) >= 0) {
            return a;
        }
    }
    return -1;
}

/* HASH_OTHER when the row states no hash at all. */
static enum hash_shape row_hashes(const struct csv_row *row, const struct csv_columns *columns,
                                  struct file_hashes *hashes)
{
    enum hash_shape shape = HASH_OTHER;

    for (int a = 0; a < LIST_N_ALGORITHMS; a++) {
        int at = columns->hashes[a];

        if (at >= 0 && !is_absent(row->fields[at].text, row->fields[at].n)) {
            shape = hash_take_as(hashes, (enum list_algorithm)a, row->fields[at].text,
                                 row->fields[at].n);
            if (shape == HASH_BAD) {
                return shape;
            }
        }
    }
    if (columns->any_hash >= 0 &&
        !is_absent(row->fields[columns->any_hash].text, row->fields[columns->any_hash].n)) {
        const char *text = row->fields[columns->any_hash].text;
        size_t n = row->fields[columns->any_hash].n;
        int algorithm = columns->type >= 0 ? type_algorithm(row, columns->type) : -1;

        if (columns->type < 0) {
            return hash_take(hashes, text, n);
        }
        return algorithm < 0 ? shape
                             : hash_take_as(hashes, (enum list_algorithm)algorithm, text, n);
    }
    return shape;
}

static int row_take(struct feed_text *text, const struct csv_row *row)
{
    const struct csv_columns *columns = &text->columns;
    struct file_hashes hashes = {.has = {false}};
    const char *name = "";
    size_t n_name = 0;

    switch (row_hashes(row, columns, &hashes)) {
    case HASH_GOOD:
        if (columns->name >= 0 &&
            !is_absent(row->fields[columns->name].text, row->fields[columns->name].n)) {
            name = row->fields[columns->name].text;
            n_name = row->fields[columns->name].n;
        }
        return feed_take(text->feed, &hashes, name, n_name);
    case HASH_OTHER:
        text->feed->n_ignored++;
        return 0;
    case HASH_BAD:
        break;
    }
    feed_refuse(text->feed, "a hash is not what its column or type says");
    return 0;
}

int feed_csv_line(struct feed_text *text, const char *line, size_t n_line)
{
    static struct csv_row row;
    const char *wrong;

    if (*line == '#') {
        /* Several comments may look like one: the last is next to the rows. */
        if (!text->has_rows) {
            (void)feed_csv_header(&text->columns, line, n_line);
        }
        return 0;
    }
    /* A row that fits the comment is a row, also where ThreatFox has "sha256_hash" in it. */
    if (!text->has_rows &&
        (text->columns.n_columns == 0 ||
         feed_csv_fields(line, n_line) != text->columns.n_columns) &&
        feed_csv_header(&text->columns, line, n_line)) {
        text->has_rows = true;
        return 0;
    }
    text->has_rows = true;
    if (text->columns.n_columns == 0) {
        return feed_fail(text->feed,
                         "no line before this one names a column sha256, sha1 or md5; put one "
                         "there, or say --format plain for hashes one a line");
    }
    wrong = row_read(&row, line, n_line);
    if (!wrong && row.n_fields != text->columns.n_columns) {
        wrong = "another number of fields than the header has columns";
    }
    if (wrong) {
        feed_refuse(text->feed, wrong);
        return 0;
    }
    return row_take(text, &row);
}
