/*
 * methods: functions of scripting languages that matter, by a part of their name.
 *
 * $client.DownloadString, urllib.request.urlopen and u.urlopen are words to the reader of commands;
 * whatever stands before the name is of no interest.
 */
#include "providers/command/methods.h"

#include <string.h>

struct named {
    const char *part;
    size_t n;
    uint8_t method;
};

#define NAMED(part, method)                                                                        \
    {                                                                                              \
        (part), sizeof(part) - 1, (method)                                                         \
    }

static const struct named names[] = {
    NAMED("://", METHOD_ADDRESS),
    NAMED("www.", METHOD_ADDRESS),
    NAMED("downloadstring", METHOD_FETCH),
    NAMED("downloaddata", METHOD_FETCH),
    NAMED("downloadfile", METHOD_FETCH | METHOD_SAVE),
    NAMED(".openread", METHOD_FETCH),
    NAMED("getstringasync", METHOD_FETCH),
    NAMED("getbytearrayasync", METHOD_FETCH),
    NAMED("getresponsestream", METHOD_FETCH),
    NAMED("withcontentsofurl", METHOD_FETCH),
    NAMED("urlopen", METHOD_FETCH),
    NAMED("urlretrieve", METHOD_FETCH | METHOD_SAVE),
    NAMED("requests.get", METHOD_FETCH),
    NAMED("requests.post", METHOD_FETCH),
    NAMED("http.get", METHOD_FETCH),
    NAMED("https.get", METHOD_FETCH),
    NAMED("net::http", METHOD_FETCH),
    NAMED("uri.open", METHOD_FETCH),
    NAMED("lwp::", METHOD_FETCH),
    NAMED("http::tiny", METHOD_FETCH),
    NAMED("file_get_contents", METHOD_FETCH),
    NAMED("responsetext", METHOD_FETCH),
    NAMED("responsebody", METHOD_FETCH),
    NAMED("xmlhttp", METHOD_FETCH),
    NAMED("urldownloadtofile", METHOD_FETCH | METHOD_SAVE),
    NAMED("/dev/tcp/", METHOD_FETCH | METHOD_ADDRESS),
    NAMED("resolve-dnsname", METHOD_FETCH | METHOD_ADDRESS),
    NAMED("frombase64string", METHOD_DECODE),
    NAMED("b64decode", METHOD_DECODE),
    NAMED("b32decode", METHOD_DECODE),
    NAMED("b85decode", METHOD_DECODE),
    NAMED("atob", METHOD_DECODE),
    NAMED("base64_decode", METHOD_DECODE),
    NAMED("decode_base64", METHOD_DECODE),
    NAMED("decode64", METHOD_DECODE),
    NAMED("gzinflate", METHOD_DECODE),
    NAMED("unhexlify", METHOD_DECODE),
    NAMED("fromhex", METHOD_DECODE),
    NAMED("zlib.decompress", METHOD_DECODE),
    NAMED("gzipstream", METHOD_DECODE),
    NAMED("deflatestream", METHOD_DECODE),
    NAMED("str_rot13", METHOD_DECODE),
    NAMED("codecs.decode", METHOD_DECODE),
    NAMED("unescape", METHOD_DECODE),
    NAMED("fromcharcode", METHOD_DECODE),
    NAMED("scriptblock", METHOD_RUN),
    NAMED("invokescript", METHOD_RUN),
    NAMED("invokeexpression", METHOD_RUN),
    NAMED("assembly]::load", METHOD_RUN),
    NAMED("assembly.load", METHOD_RUN),
    NAMED("executeglobal", METHOD_RUN),
    NAMED("instance_eval", METHOD_RUN),
    NAMED("loadstring", METHOD_RUN),
    NAMED("builtins.exec", METHOD_RUN),
};

static uint8_t method_of(const struct commands *commands, const struct word_at *word)
{
    const uint8_t *bytes = commands->text->bytes + word->from;
    size_t n = word->to - word->from;
    uint8_t methods = METHOD_NONE;

    if (n < 4) {
        return methods;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].n <= n && memmem(bytes, n, names[i].part, names[i].n)) {
            methods |= names[i].method;
        }
    }
    return methods;
}

void methods_note(struct commands *commands)
{
    for (size_t i = 0; i < commands->n_words; i++) {
        commands->words[i].methods = method_of(commands, &commands->words[i]);
    }
}
