/*
 * words: the names of programs that fetch, run, start and decode.
 *
 * A table, searched by halves; sorted, which a test checks. To know one more program, add a line.
 */
#include "providers/command/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct known {
    const char *name;
    uint32_t flags;
};

#define SHELL    (WORD_RUN | WORD_LANGUAGE)
#define LANGUAGE (WORD_RUN | WORD_LANGUAGE)

static const struct known known[] = {
    {".", WORD_START | WORD_RUN},
    {"aria2c", WORD_FETCH},
    {"ash", SHELL},
    {"atob", WORD_DECODE},
    {"axel", WORD_FETCH},
    {"base32", WORD_DECODE},
    {"base64", WORD_DECODE},
    {"bash", SHELL},
    {"bitsadmin", WORD_FETCH},
    {"bun", LANGUAGE},
    {"bunzip2", WORD_DECODE},
    {"busybox", WORD_PREFIX},
    {"call", WORD_PREFIX | WORD_START},
    {"certutil", WORD_FETCH | WORD_OTHER},
    {"chmod", WORD_OTHER},
    {"chroot", WORD_OTHER},
    {"cmd", SHELL},
    {"command", WORD_PREFIX},
    {"conhost", WORD_START},
    {"cscript", WORD_RUN},
    {"csh", SHELL},
    {"curl", WORD_FETCH},
    {"dash", SHELL},
    {"deno", LANGUAGE},
    {"doas", WORD_PREFIX},
    {"env", WORD_PREFIX},
    {"eval", WORD_RUN},
    {"exec", WORD_PREFIX | WORD_RUN},
    {"explorer", WORD_START},
    {"fetch", WORD_FETCH},
    {"finger", WORD_FETCH},
    {"fish", SHELL},
    {"forfiles", WORD_START},
    {"ftp", WORD_OTHER},
    {"get", WORD_FETCH},
    {"gunzip", WORD_DECODE},
    {"gzip", WORD_DECODE},
    {"hh", WORD_START},
    {"http", WORD_FETCH},
    {"https", WORD_FETCH},
    {"iex", WORD_RUN | WORD_EXPRESSION},
    {"ii", WORD_START},
    {"installer", WORD_START},
    {"installutil", WORD_START},
    {"invoke-command", WORD_RUN | WORD_EXPRESSION},
    {"invoke-expression", WORD_RUN | WORD_EXPRESSION},
    {"invoke-item", WORD_START},
    {"invoke-restmethod", WORD_FETCH | WORD_EXPRESSION},
    {"invoke-webrequest", WORD_FETCH | WORD_EXPRESSION},
    {"ionice", WORD_PREFIX},
    {"irm", WORD_FETCH | WORD_EXPRESSION},
    {"iwr", WORD_FETCH | WORD_EXPRESSION},
    {"java", WORD_START},
    {"jsc", WORD_RUN},
    {"ksh", SHELL},
    {"ld.so", WORD_START},
    {"lua", LANGUAGE},
    {"lwp-download", WORD_FETCH},
    {"lwp-request", WORD_FETCH},
    {"lynx", WORD_FETCH},
    {"mksh", SHELL},
    {"mshta", WORD_START},
    {"msiexec", WORD_START},
    {"nc", WORD_FETCH},
    {"ncat", WORD_FETCH},
    {"netcat", WORD_FETCH},
    {"nice", WORD_PREFIX},
    {"node", LANGUAGE},
    {"nohup", WORD_PREFIX},
    {"nscurl", WORD_FETCH},
    {"open", WORD_START},
    {"openssl", WORD_DECODE},
    {"osascript", LANGUAGE},
    {"pcalua", WORD_START},
    {"perl", LANGUAGE},
    {"php", LANGUAGE},
    {"powershell", SHELL},
    {"powershell_ise", WORD_START},
    {"pwsh", SHELL},
    {"py", LANGUAGE},
    {"python", LANGUAGE},
    {"python2", LANGUAGE},
    {"python3", LANGUAGE},
    {"pythonw", LANGUAGE},
    {"regasm", WORD_START},
    {"regsvcs", WORD_START},
    {"regsvr32", WORD_START},
    {"rev", WORD_DECODE},
    {"rscript", LANGUAGE},
    {"ruby", LANGUAGE},
    {"rundll32", WORD_START},
    {"saps", WORD_START},
    {"schtasks", WORD_START},
    {"scp", WORD_OTHER},
    {"setsid", WORD_PREFIX},
    {"sh", SHELL},
    {"socat", WORD_OTHER},
    {"source", WORD_START | WORD_RUN},
    {"start", WORD_PREFIX | WORD_START},
    {"start-bitstransfer", WORD_FETCH | WORD_EXPRESSION},
    {"start-process", WORD_START | WORD_EXPRESSION},
    {"stdbuf", WORD_PREFIX},
    {"sudo", WORD_PREFIX},
    {"tclsh", WORD_RUN},
    {"tcsh", SHELL},
    {"telnet", WORD_FETCH},
    {"then", WORD_PREFIX},
    {"time", WORD_PREFIX},
    {"timeout", WORD_PREFIX},
    {"tr", WORD_OTHER},
    {"uudecode", WORD_DECODE},
    {"wget", WORD_FETCH},
    {"wget2", WORD_FETCH},
    {"whoami", WORD_OTHER},
    {"wmic", WORD_START},
    {"wscript", WORD_RUN},
    {"xargs", WORD_PREFIX},
    {"xxd", WORD_DECODE},
    {"xz", WORD_DECODE},
    {"zcat", WORD_DECODE},
    {"zsh", SHELL},
};

struct key {
    const char *word;
    size_t n;
};

static int compare(const void *a, const void *b)
{
    const struct key *key = a;
    const struct known *entry = b;
    int r = strncmp(key->word, entry->name, key->n);

    return r ? r : entry->name[key->n] == '\0' ? 0 : -1;
}

static bool is_version(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((text[i] < '0' || text[i] > '9') && text[i] != '.') {
            return false;
        }
    }
    return true;
}

/* python3.11, ruby2.7: how much of the name is a version. */
static size_t version_length(const char *word, size_t n)
{
    static const char *const versioned[] = {"python", "ruby", "perl", "php", "lua"};

    for (size_t i = 0; i < sizeof(versioned) / sizeof(versioned[0]); i++) {
        size_t n_name = strlen(versioned[i]);

        if (n > n_name && memcmp(word, versioned[i], n_name) == 0 &&
            is_version(word + n_name, n - n_name)) {
            return n - n_name;
        }
    }
    return 0;
}

uint32_t word_is(const char *word, size_t n)
{
    struct key key = {word, n};
    const struct known *found;

    if (n > 4 && memcmp(word + n - 4, ".exe", 4) == 0) {
        key.n = n - 4;
    }
    key.n -= version_length(word, key.n);
    if (key.n == 0) {
        return WORD_PLAIN;
    }
    found = bsearch(&key, known, sizeof(known) / sizeof(known[0]), sizeof(known[0]), compare);
    return found ? found->flags : WORD_PLAIN;
}

const char *word_name(size_t index)
{
    return index < sizeof(known) / sizeof(known[0]) ? known[index].name : NULL;
}
