/* How much work a long script makes, counted and not timed: bytes that expressions are looked for
 * in, with the rules that ship. */
#include <stdlib.h>
#include <string.h>

#include "providers/command/fold.h"
#include "providers/command/judge.h"
#include "testing.h"

#define SCRIPT_BYTES (100u << 10)

static struct rule_set set = RULE_SET_INIT;
static struct judge judge;

/* Words by turns, `line` of them to a line. */
static void script_make(uint8_t *script, const char *const *words, size_t n_words, size_t line)
{
    uint32_t chance = 7;
    size_t n = 0;

    for (size_t i = 1; n < SCRIPT_BYTES; i++) {
        const char *word;

        chance = chance * 1664525u + 1013904223u;
        word = words[(chance >> 16) % n_words];
        for (size_t c = 0; word[c] != '\0' && n < SCRIPT_BYTES; c++) {
            script[n++] = (uint8_t)word[c];
        }
        if (n < SCRIPT_BYTES) {
            script[n++] = i % line == 0 ? '\n' : ' ';
        }
    }
}

/* How often each byte of the views was read, in the mean. */
static uint64_t reads_per_byte(const char *const *words, size_t n_words, size_t line)
{
    uint8_t *script = malloc(SCRIPT_BYTES);
    uint64_t before = pattern_set_bytes_read(set.patterns);
    uint64_t n_bytes = 0;
    uint64_t reads;

    assert_non_null(script);
    script_make(script, words, n_words, line);
    judge_run(&judge, script, SCRIPT_BYTES, NULL, NULL);
    for (size_t i = 0; i < judge.views.n; i++) {
        n_bytes += judge.views.views[i].plain.n;
    }
    assert_true(n_bytes >= SCRIPT_BYTES);
    reads = (pattern_set_bytes_read(set.patterns) - before) / n_bytes;
    judge_clear(&judge);
    free(script);
    return reads;
}

static void an_ordinary_script_is_read_for_few_expressions(void **state)
{
    static const char *const words[] = {"if",   "[",     "-f",   "$file", "];",   "then",
                                        "mv",   "$file", "done", "fi",    "echo", "make",
                                        "grep", "-v",    "sort", "count", "=",    "$1"};
    uint64_t reads = reads_per_byte(words, sizeof(words) / sizeof(words[0]), 6);

    /* Of more than 350 expressions; each byte is in 4/3 windows. */
    assert_true(set.n_expressions > 350);
    assert_in_range(reads, 1, 40);
}

/* One automaton of all expressions took 5 s for such text, whatever was in it. */
static void a_script_full_of_beginnings_is_read_once_per_candidate(void **state)
{
    static const char *const words[] = {"curl",     "powershell",
                                        "-w",       "hidden",
                                        "mshta",    "https://a.example/x",
                                        "|",        "certutil",
                                        "/c",       "invoke",
                                        "-enc",     "base64",
                                        "rundll32", "-d",
                                        "schtasks", "cmd",
                                        "&&",       "iex",
                                        "start",    "%temp%\\a.exe",
                                        "regsvr32"};
    uint64_t reads = reads_per_byte(words, sizeof(words) / sizeof(words[0]), SIZE_MAX);

    assert_in_range(reads, 10, set.n_expressions / 2);
}

static int rules_load(void **state)
{
    struct rule_error error = RULE_ERROR_INIT;

    judge.set = &set;
    return fold_init() < 0 || rule_set_load(&set, SHIPPED_COMMAND_RULES, &error) < 0 ? -1 : 0;
}

static int rules_free(void **state)
{
    rule_set_fini(&set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_script_is_read_for_few_expressions),
        cmocka_unit_test(a_script_full_of_beginnings_is_read_once_per_candidate),
    };

    return cmocka_run_group_tests(tests, rules_load, rules_free);
}
