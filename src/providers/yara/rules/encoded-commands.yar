/*
 * Lines that hide from their reader what they run. Nobody needs that to give instructions to a
 * person; what they come to is shown beside the verdict. The parts of the expressions are explained
 * in download-and-run.yar.
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
        $decoder = /\b(base64|base32|basenc|uudecode|openssl(([ \t]|\\\r?\n){1,4}enc)?([^\n|]|\\\r?\n){0,20}-(a|base64))\b([^\n|]|\\\r?\n){0,250}([ \t]|\\\r?\n)(-[A-Za-z]{0,3}[dD][A-Za-z]{0,3}|--d[ecod]{0,5})(([^\n|]|\\\r?\n){0,500}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}){1,3}/
        $openssl = /\bopenssl([ \t]|\\\r?\n){1,4}(enc|base64)([^\n|]|\\\r?\n){0,250}([ \t]|\\\r?\n)-d(([^\n|]|\\\r?\n){0,500}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}){1,3}/
        $run_shell = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(ba|z|da|k|c|tc|fi|a)?sh([^A-Za-z0-9_.\/-]|$)/ private
        $run_other = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}(["'`]|([ \t]|\\\r?\n){0,4}([\r\n;&|)}#]|[0-9]?[<>]|$)|([ \t]|\\\r?\n){1,3}(-([^A-Za-z0-9-]|$)|\/dev\/(stdin|fd\/0)))/ private
        $run_code = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}([ \t]|\\\r?\n){1,3}-[A-Za-z]{0,4}[cer]([ \t]|\\\r?\n){0,3}["'][^|]{0,160}\b(exec|eval)\b/ private
        $substituted = /(\beval|(\bsource|(^|[ \t\n;&|({])\.)(([ \t]|\\\r?\n){1,4}\/dev\/(stdin|fd\/0)([ \t]|\\\r?\n){0,4}<<<)?|\b((ba|z|da|k|c|tc|fi|a)?sh|(python[0-9.]{0,4}|perl|ruby|node|php|osascript))(([ \t]|\\\r?\n){1,4}-[A-Za-z]{1,6}){0,3}([ \t]|\\\r?\n){0,4}(<{1,3})?)([ \t]|\\\r?\n){0,4}["']?(\$\(|`|<\()[^)`]{0,4000}\b(base64|base32|basenc)([ \t]|\\\r?\n){1,4}(-[A-Za-z]{0,3}[dD][A-Za-z]{0,3}|--d[ecod]{0,5})/
        $saved = /\b(base64|base32)([^\n|]|\\\r?\n){0,250}([ \t]|\\\r?\n)(-[A-Za-z]{0,3}[dD][A-Za-z]{0,3}|--d[ecod]{0,5})([^\n|]|\\\r?\n){0,250}>([ \t]|\\\r?\n){0,3}(\/(var\/)?tmp|\/dev\/shm)\/([^\n|;&]|\\\r?\n){1,250}(&&|\|\||[;&\n])([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((sudo|doas|env|nohup|exec|setsid|-[A-Za-z-]{1,20}|root|[A-Za-z_]{1,30}=[^ \t\n;|&]{0,100})([ \t]|\\\r?\n){1,4}){0,5}(ba|z|da|k)?sh([ \t]|\\\r?\n){1,4}["']?(\/(var\/)?tmp|\/dev\/shm)\//

    condition:
        filesize < 64KB and (for any i in (1..#decoder) : (any of ($run_*) in (@decoder[i]..@decoder[i] + !decoder[i])) or
         for any i in (1..#openssl) : (any of ($run_*) in (@openssl[i]..@openssl[i] + !openssl[i])) or
         $substituted or $saved)
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
        $xxd = /\bxxd([ \t]|\\\r?\n){1,4}(-[a-z]{1,3}([ \t]|\\\r?\n){1,4}){0,3}-[a-z]{0,2}r(([^\n|]|\\\r?\n){0,500}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}){1,3}/
        $escapes = /\b(printf|echo([ \t]|\\\r?\n){1,4}-[ne]{1,2})([ \t]|\\\r?\n){1,4}\$?["']?(\\x[0-9A-Fa-f]{2}|\\[0-7]{3}){8,}([^\n|]|\\\r?\n){0,3000}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}/
        $run_shell = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(ba|z|da|k|c|tc|fi|a)?sh([^A-Za-z0-9_.\/-]|$)/ private
        $run_other = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}(["'`]|([ \t]|\\\r?\n){0,4}([\r\n;&|)}#]|[0-9]?[<>]|$)|([ \t]|\\\r?\n){1,3}(-([^A-Za-z0-9-]|$)|\/dev\/(stdin|fd\/0)))/ private
        $run_code = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}([ \t]|\\\r?\n){1,3}-[A-Za-z]{0,4}[cer]([ \t]|\\\r?\n){0,3}["'][^|]{0,160}\b(exec|eval)\b/ private
        $eval = /(\beval|\b(ba|z|k|da)?sh([ \t]|\\\r?\n){1,4}-[a-z]{0,4}c)([ \t]|\\\r?\n){1,4}["']?\$(\(|')([^\n]|\\\r?\n){0,40}(\\x[0-9A-Fa-f]{2}|\\[0-7]{3}){8,}/

    condition:
        filesize < 64KB and (for any i in (1..#xxd) : (any of ($run_*) in (@xxd[i]..@xxd[i] + !xxd[i])) or
         for any i in (1..#escapes) : (any of ($run_*) in (@escapes[i]..@escapes[i] + !escapes[i])) or
         $eval)
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
        $rev = /\becho([ \t]|\\\r?\n)([^\n|]|\\\r?\n){1,250}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}rev([ \t]|\\\r?\n){0,4}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}/
        $rot = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}tr([ \t]|\\\r?\n){1,4}["']?(\[?a-z|A-Za-z|a-zA-Z)([^\n|]|\\\r?\n){0,250}\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}/
        $run_shell = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(ba|z|da|k|c|tc|fi|a)?sh([^A-Za-z0-9_.\/-]|$)/ private
        $run_other = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}(["'`]|([ \t]|\\\r?\n){0,4}([\r\n;&|)}#]|[0-9]?[<>]|$)|([ \t]|\\\r?\n){1,3}(-([^A-Za-z0-9-]|$)|\/dev\/(stdin|fd\/0)))/ private
        $run_code = /\|&?([ \t\\]{0,8}(#[^\n]{0,60})?\r?\n){0,3}[ \t\\]{0,8}((\/[a-z\/]{1,24}\/)?(sudo|doas|env|exec|nohup|command|time|nice|setsid|stdbuf|busybox|[A-Za-z_]{1,30}=)([^\n|;&]|\\\r?\n){0,120}[ \t\n])?[({"'\\ ]{0,3}(\/[a-z0-9_.\/-]{1,40}\/)?(python[0-9.]{0,4}|perl|ruby|node|php|osascript)(([ \t]|\\\r?\n){1,3}(-[uBEIsSOqwWTtxbdv]{1,6}|--[a-z-]{2,30}(=[a-z]{1,20})?)){0,3}([ \t]|\\\r?\n){1,3}-[A-Za-z]{0,4}[cer]([ \t]|\\\r?\n){0,3}["'][^|]{0,160}\b(exec|eval)\b/ private
        $ifs = /(curl|wget)\$\{?IFS\}?/

    condition:
        filesize < 64KB and (for any i in (1..#rev) : (any of ($run_*) in (@rev[i]..@rev[i] + !rev[i])) or
         for any i in (1..#rot) : (any of ($run_*) in (@rot[i]..@rot[i] + !rot[i])) or
         $ifs)
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
        $base64 = /(\biex\b|invoke-expression)([^\n]|[`|;({,][ \t]{0,4}\r?\n){0,250}frombase64string/ nocase
        $base64_last = /frombase64string[^\n]{0,4000}\|[ \t\r\n`]{0,8}(iex\b|invoke-expression)/ nocase
        $codes = /(\biex\b|invoke-expression)([^\n]|[`|;({,][ \t]{0,4}\r?\n){0,250}\[char(\[\])?\][^\n]{0,10}[0-9]{2,3}[ \t]{0,3},[ \t]{0,3}[0-9]{2,3}[ \t]{0,3},/ nocase
        $codes_last = /\[char(\[\])?\][^\n]{0,10}([0-9]{2,3}[ \t]{0,3},[ \t]{0,3}){4,}[^\n]{0,4000}\|[ \t\r\n`]{0,8}(iex\b|invoke-expression)/ nocase
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
