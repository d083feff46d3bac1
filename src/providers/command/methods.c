/*
 * methods: functions of scripting languages that matter, by a part of their name.
 *
 * $client.DownloadString, urllib.request.urlopen and u.urlopen are words to the reader of commands;
 * whatever stands before the name is of no interest.
 */
#include "providers/command/methods.h"

struct named {
    const char *part;
    uint8_t method;
};

static const struct named names[] = {
    {"://", METHOD_ADDRESS},
    {"www.", METHOD_ADDRESS},
    {"downloadstring", METHOD_FETCH},
    {"downloaddata", METHOD_FETCH},
    {"downloadfile", METHOD_FETCH | METHOD_SAVE},
    {".openread", METHOD_FETCH},
    {"getstringasync", METHOD_FETCH},
    {"getbytearrayasync", METHOD_FETCH},
    {"getresponsestream", METHOD_FETCH},
    {"withcontentsofurl", METHOD_FETCH},
    {"urlopen", METHOD_FETCH},
    {"urlretrieve", METHOD_FETCH | METHOD_SAVE},
    {"requests.get", METHOD_FETCH},
    {"requests.post", METHOD_FETCH},
    {"http.get", METHOD_FETCH},
    {"https.get", METHOD_FETCH},
    {"net::http", METHOD_FETCH},
    {"uri.open", METHOD_FETCH},
    {"lwp::", METHOD_FETCH},
    {"http::tiny", METHOD_FETCH},
    {"file_get_contents", METHOD_FETCH},
    {"responsetext", METHOD_FETCH},
    {"responsebody", METHOD_FETCH},
    {"xmlhttp", METHOD_FETCH},
    {"urldownloadtofile", METHOD_FETCH | METHOD_SAVE},
    {"/dev/tcp/", METHOD_FETCH | METHOD_ADDRESS},
    {"resolve-dnsname", METHOD_FETCH | METHOD_ADDRESS},
    {"frombase64string", METHOD_DECODE},
    {"b64decode", METHOD_DECODE},
    {"b32decode", METHOD_DECODE},
    {"b85decode", METHOD_DECODE},
    {"atob", METHOD_DECODE},
    {"base64_decode", METHOD_DECODE},
    {"decode_base64", METHOD_DECODE},
    {"decode64", METHOD_DECODE},
    {"gzinflate", METHOD_DECODE},
    {"unhexlify", METHOD_DECODE},
    {"fromhex", METHOD_DECODE},
    {"zlib.decompress", METHOD_DECODE},
    {"gzipstream", METHOD_DECODE},
    {"deflatestream", METHOD_DECODE},
    {"str_rot13", METHOD_DECODE},
    {"codecs.decode", METHOD_DECODE},
    {"unescape", METHOD_DECODE},
    {"fromcharcode", METHOD_DECODE},
    {"scriptblock", METHOD_RUN},
    {"invokescript", METHOD_RUN},
    {"invokeexpression", METHOD_RUN},
    {"assembly]::load", METHOD_RUN},
    {"assembly.load", METHOD_RUN},
    {"executeglobal", METHOD_RUN},
    {"instance_eval", METHOD_RUN},
    {"loadstring", METHOD_RUN},
    {"builtins.exec", METHOD_RUN},
};

uint8_t method_of(const struct commands *commands, const struct word_at *word)
{
    uint8_t methods = METHOD_NONE;

    if (word->to - word->from < 4) {
        return methods;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (commands_word_has(commands, word, names[i].part)) {
            methods |= names[i].method;
        }
    }
    return methods;
}
