/*
 * Lines that hide from their reader what they run. Nobody needs that to give instructions to a
 * person; what they come to is shown beside the verdict.
 */

rule Encoded_Into_Shell
{
    meta:
        description = "Decodes text and feeds it to a shell or an interpreter"
        verdict = "malicious"
        severity = "high"
        confidence = 90
        technique = "T1027.010"
        advice = "read_decoded"
        decode = "base64"
        pes_sample = "echo ZWNobyBoZWxsbyBmcm9tIGEgdGVzdAo= | base64 -d | bash"

    strings:
        $piped = /\b(base64|base32|uudecode|openssl([ \t]{1,4}enc)?[^\n|]{0,20}-(a|base64))\b[^\n|]{0,250}[ \t](-d|-D|-di|--decode)([^\n|]{0,250}\|&?){1,3}[ \t]{0,8}(sudo[ \t]{1,3})?(\/[a-z\/]{1,24}\/)?((ba|z|da|k)?sh|python[0-9.]{0,4}|perl|ruby|node|php)([^A-Za-z0-9_.\/-]|$)/
        $openssl = /\bopenssl[ \t]{1,4}(enc|base64)[^\n|]{0,250}[ \t]-d([^\n|]{0,250}\|&?){1,3}[ \t]{0,8}(sudo[ \t]{1,3})?(\/[a-z\/]{1,24}\/)?((ba|z|da|k)?sh|python[0-9.]{0,4}|perl)([^A-Za-z0-9_.\/-]|$)/
        $substituted = /(\beval|\b(ba|z|da|k)?sh[ \t]{1,4}-[a-z]{0,4}c|\b(ba|z|da|k)?sh[ \t]{0,4}<<<|\b(ba|z|da|k)?sh)[ \t]{0,4}["']?(\$\(|`|<\()[^\n)`]{0,4000}\b(base64|base32)[ \t]{1,4}(-d|-D|-di|--decode)/

    condition:
        filesize < 64KB and any of them
}

rule Hex_Into_Shell
{
    meta:
        description = "Turns digits or escapes into text and feeds it to a shell"
        verdict = "malicious"
        severity = "high"
        confidence = 90
        technique = "T1027.010"
        advice = "read_decoded"
        decode = "hex"
        pes_sample = "echo 6563686f2068656c6c6f | xxd -r -p | sh"

    strings:
        $xxd = /\bxxd[ \t]{1,4}(-[a-z]{1,3}[ \t]{1,4}){0,3}-r[^\n|]{0,20}\|[ \t]{0,8}(sudo[ \t]{1,3})?(\/[a-z\/]{1,24}\/)?((ba|z|da|k)?sh|python[0-9.]{0,4}|perl)([^A-Za-z0-9_.\/-]|$)/
        $escapes = /\b(printf|echo[ \t]{1,4}-[ne]{1,2})[ \t]{1,4}\$?["']?(\\x[0-9A-Fa-f]{2}|\\[0-7]{3}){8,}[^\n|]{0,4000}\|[ \t]{0,8}(sudo[ \t]{1,3})?(ba|z|da|k)?sh([^A-Za-z0-9_.\/-]|$)/
        $eval = /(\beval|\b(ba|z|da|k)?sh[ \t]{1,4}-[a-z]{0,4}c)[ \t]{1,4}["']?\$(\(|')[^\n]{0,40}(\\x[0-9A-Fa-f]{2}|\\[0-7]{3}){8,}/

    condition:
        filesize < 64KB and any of them
}

rule Transformed_Into_Shell
{
    meta:
        description = "Text that is written backwards, shifted or packed is fed to a shell"
        verdict = "malicious"
        severity = "high"
        confidence = 80
        technique = "T1027.010"
        advice = "do_not_run"
        pes_sample = "echo 'olleh ohce' | rev | sh"

    strings:
        $rev = /\becho[ \t][^\n|]{1,250}\|[ \t]{0,8}rev[ \t]{0,4}\|[ \t]{0,8}(ba|z|da|k)?sh([^A-Za-z0-9_.\/-]|$)/
        $rot = /\|[ \t]{0,8}tr[ \t]{1,4}["']?(\[?a-z|A-Za-z|a-zA-Z)[^\n|]{0,250}\|[ \t]{0,8}(ba|z|da|k)?sh([^A-Za-z0-9_.\/-]|$)/
        $ifs = /(curl|wget)\$\{?IFS\}?/

    condition:
        filesize < 64KB and any of them
}

rule Interpreter_Decodes_And_Runs
{
    meta:
        description = "An interpreter's one-liner that decodes text and evaluates it"
        verdict = "malicious"
        severity = "high"
        confidence = 85
        technique = "T1027.010"
        advice = "read_decoded"
        decode = "base64"
        pes_sample = "python3 -c \"import base64;exec(base64.b64decode('cHJpbnQoJ2hlbGxvJyk='))\""

    strings:
        $python = /\b(exec|eval)[ \t]{0,3}\([^\n]{0,250}(b64decode|b32decode|a85decode|b85decode|fromhex|unhexlify|zlib\.decompress|marshal\.loads)[ \t]{0,3}\(/
        $perl = /\beval[ \t]{0,3}\(?[^\n]{0,20}(decode_base64|unpack[ \t]{0,3}\(?[ \t]{0,3}["']{1,3}[uH])/
        $php = /\b(eval|assert|system)[ \t]{0,3}\([^\n]{0,250}(base64_decode|gzinflate|str_rot13)[ \t]{0,3}\(/
        $node = /\beval[ \t]{0,3}\([ \t]{0,3}(Buffer\.from|new Buffer|atob)[ \t]{0,3}\(/
        $ruby = /\beval[ \t]{0,3}\(?[^\n]{0,20}(Base64\.(strict_|urlsafe_)?decode64|\.unpack1?\(["']{1,3}m)/

    condition:
        filesize < 64KB and any of them
}

rule PowerShell_Encoded_Command
{
    meta:
        description = "PowerShell is given its command in base64"
        verdict = "suspicious"
        severity = "high"
        confidence = 65
        technique = "T1027.010"
        advice = "read_decoded"
        decode = "base64"
        pes_sample = "powershell -NoProfile -enc ZQBjAGgAbwAgAGgAZQBsAGwAbwAgAHcAbwByAGwAZAA="

    strings:
        $enc = /\b(powershell|pwsh)(\.exe)?["']?[ \t][^\n]{0,250}[-\/]e\^?(c|n[codeman^]{0,26})?[ \t]{1,4}["']?[A-Za-z0-9+\/]{32,}/ nocase

    condition:
        filesize < 64KB and $enc
}

rule PowerShell_Decodes_And_Runs
{
    meta:
        description = "PowerShell puts its command together from codes and evaluates it"
        verdict = "malicious"
        severity = "high"
        confidence = 90
        technique = "T1027.010"
        advice = "read_decoded"
        decode = "base64"
        pes_sample = "powershell -c \"iex(-join([char[]](101,99,104,111,32,104,101,108,108,111)))\""

    strings:
        $base64 = /(\biex\b|invoke-expression)[^\n]{0,250}frombase64string/ nocase
        $base64_last = /frombase64string[^\n]{0,4000}\|[ \t]{0,5}(iex\b|invoke-expression)/ nocase
        $codes = /(\biex\b|invoke-expression)[^\n]{0,250}\[char(\[\])?\][^\n]{0,10}[0-9]{2,3}[ \t]{0,3},[ \t]{0,3}[0-9]{2,3}[ \t]{0,3},/ nocase
        $codes_last = /\[char(\[\])?\][^\n]{0,10}([0-9]{2,3}[ \t]{0,3},[ \t]{0,3}){4,}[^\n]{0,4000}\|[ \t]{0,5}(iex\b|invoke-expression)/ nocase
        $lookup = /[&.][ \t]{0,3}\([ \t]{0,3}(gcm|get-command|gal|get-alias)[ \t]{1,4}["']?[a-z-]{0,10}[*?]/ nocase
        $piece1 = "('i'+'" nocase
        $piece2 = "('ie'+'" nocase
        $piece3 = "(\"i\"+\"" nocase
        $piece4 = "(\"ie\"+\"" nocase
        $ticks = /\bi`?e`x[ \t(]|\bi`e`?x[ \t(]/ nocase

    condition:
        filesize < 64KB and any of them
}

rule Cmd_Caret_Noise
{
    meta:
        description = "Letters of a Windows command are kept apart by carets"
        verdict = "malicious"
        severity = "high"
        confidence = 80
        technique = "T1027.010"
        advice = "do_not_run"
        pes_sample = "cmd /c p^o^w^er^s^h^e^l^l -c echo hello"

    strings:
        $cmd = /\bcmd(\.exe)?["']?[ \t][^\n]{0,40}[\/-][ck]/ nocase
        $powershell = "powershell" nocase
        $carets = /[a-z]\^[a-z]{1,6}\^[a-z]{1,6}\^[a-z]/ nocase

    condition:
        filesize < 64KB and $carets and ($cmd or $powershell)
}
