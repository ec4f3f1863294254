#!/bin/sh
# Checks a bag of evidence with nothing but a POSIX shell, coreutils, git (2.34 or newer) and ssh-keygen.
#
#   sh verify.sh [--signers FILE] [FOLDER]
#
# FOLDER is the bag; by default the folder of this script. FILE says whose signatures count, in the format of OpenSSH's
# allowed_signers, from a source that you trust; by default, the project's own list counts, which the bag itself brings.
# Each step says what it proves. Exit code: 0 nothing is wrong, 1 something is (each line FAIL names the file), 2 usage.
# This file is the same in every bag of a release; the project's page on evidence gives its SHA-256.

set -u
unset $(git rev-parse --local-env-vars) GIT_SSH GIT_SSH_COMMAND CDPATH
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1
umask 077
tab=$(printf '\t')
given=
folder=
while [ $# -gt 0 ]; do
  case $1 in
    --signers) [ $# -gt 1 ] && [ -r "$2" ] || { echo "--signers needs a file that can be read." >&2; exit 2; }
      given=$(cat <"$2" && echo .) && given=${given%.}
      [ -n "$given" ] || { echo "--signers: $2 is empty: it allows nobody." >&2; exit 2; }
      shift ;;
    -*) echo "usage: sh verify.sh [--signers FILE] [FOLDER]" >&2; exit 2 ;;
    *) folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || folder=$(dirname -- "$0")
cd -- "$folder" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
[ -z "$given" ] || printf '%s' "$given" >"$work/given"
repo=$work/repo.git
failures=0
notes=0

step() { printf '\n== %s\n' "$1"; bad=$failures; }
said() { printf '%s\n' "$1" | tr '\000-\010\013-\037\177' '?'; }
fail() { failures=$((failures + 1)); said "FAIL $1"; }
note() { notes=$((notes + 1)); said "NOTE $1"; }
done_() { [ "$bad" -ne "$failures" ] || printf 'OK   %s\n' "$1"; }
history_() { git --git-dir="$repo" "$@"; }

# sums MANIFEST LISTED: compares every file with its line; leaves the names in LISTED.
sums() {
  : >"$2"
  [ -f "$1" ] || { fail "$1: is not there"; return; }
  number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    sum=${line%%  *}
    case $sum in *[!0-9a-f]*) sum= ;; esac
    if [ ${#sum} -eq 64 ] && [ "$sum  ${line#*  }" = "$line" ]; then
      printf '%s\n' "${line#*  }" >>"$2"
    else
      fail "$1: line $number is not a SHA-256, two blanks and a name"
    fi
  done <"$1"
  sha256sum -c --strict -- "$1" >"$work/sums" 2>/dev/null </dev/null
  status=$?
  known=$failures
  while IFS= read -r line; do
    case $line in *': OK') ;; *': FAILED'*) fail "${line%%: FAILED*}: is not what $1 says" ;; esac
  done <"$work/sums"
  [ $status -eq 0 ] || [ "$known" -ne "$failures" ] || fail "$1: not all of its lines could be checked"
}

# walk DIRECTORY: the names of all files below.
walk() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -L "$entry" ]; then fail "${entry#./}: is a link, not a file"
    elif [ -d "$entry" ]; then walk "$entry"
    elif [ -e "$entry" ]; then printf '%s\n' "${entry#./}" >>"$work/found"
    fi
  done
}

step "1. The bag's own files are those that tagmanifest-sha256.txt lists"
sums tagmanifest-sha256.txt "$work/tags"
done_ "every file beside data/ has the SHA-256 that tagmanifest-sha256.txt gives it"

step "2. What is handed over is what manifest-sha256.txt lists"
sums manifest-sha256.txt "$work/payload"
done_ "every file in data/ has the SHA-256 that manifest-sha256.txt gives it"

step "3. There is no file more and no file less"
: >"$work/found"
walk .
sort "$work/found" >"$work/there"
{ echo tagmanifest-sha256.txt; cat "$work/tags" "$work/payload"; } | sort >"$work/listed"
sort -u "$work/listed" | comm -23 "$work/there" - >"$work/more"
sort -u "$work/listed" | comm -13 "$work/there" - >"$work/less"
while IFS= read -r file; do
  [ "$file" = tagmanifest-sha256.txt.sig ] || fail "$file: is in no manifest; it was added"
done <"$work/more"
while IFS= read -r file; do fail "$file: is in a manifest, and not there; it was removed"; done <"$work/less"
uniq -d "$work/listed" >"$work/twice"
while IFS= read -r file; do fail "$file: is listed twice"; done <"$work/twice"
for file in bagit.txt bag-info.txt manifest-sha256.txt README.txt index.html verify.sh reader.py data/state.tsv; do
  case $file in data/*) list=$work/payload ;; *) list=$work/tags ;; esac
  found=
  while IFS= read -r line; do [ "$line" != "$file" ] || found=1; done <"$list"
  [ -n "$found" ] || fail "$file: is not listed by its manifest"
done
done_ "the files that are there are those of the manifests"

# What the bag says it holds: one line per table: table, version, data_sha, payload_sha, path, cut ("-": none).
tail -n +2 data/state.tsv >"$work/state" 2>/dev/null || fail "data/state.tsv: cannot be read"
sort manifest-sha256.txt >"$work/manifest" 2>/dev/null
commit=
sealed=
while IFS= read -r line; do
  case $line in
    'Datom-Commit: '*) commit=${line#*: } ;;
    'Datom-Seal: '*) sealed=1 ;;
  esac
done <bag-info.txt
case $commit in *[!0-9a-f]*) fail "bag-info.txt: $commit is no commit"; commit= ;; esac

step "4. Each version's id is the SHA-256 of its canonical text"
: >"$work/ids"
while IFS= read -r file; do
  case $file in data/ids/*/*) printf '%s  %s\n' "${file##*/}" "$file" >>"$work/ids" ;; esac
done <"$work/payload"
count=0
if [ -s "$work/ids" ]; then
  wrong=
  sha256sum -c --strict -- "$work/ids" >"$work/sums" 2>/dev/null </dev/null || wrong=1
  while IFS= read -r line; do
    case $line in
      *': OK') count=$((count + 1)) ;;
      *) fail "${line%%: FAILED*}: its SHA-256 is not the version id that it is named after" ;;
    esac
  done <"$work/sums"
  [ -z "$wrong" ] || [ "$bad" -ne "$failures" ] || fail "data/ids: a file is not named after a version id"
fi
while IFS=$tab read -r table version data payload path cut; do
  if [ -f "data/ids/$table/$version" ]; then
    text=$(cat "data/ids/$table/$version")
    case $text in
      *'"data_sha":"'"$data"'"'*) ;;
      *) fail "data/state.tsv: the text of $table@$version in data/ids does not name the content $data" ;;
    esac
    continue
  fi
  found=
  while IFS=$tab read -r other id why; do
    [ "$other@$id" != "$table@$version" ] || found=$why
  done <data/unproven.tsv
  if [ -n "$found" ]; then note "$table@$version: nobody can recompute this id: $found"
  else fail "data/ids/$table/$version: is not there, and data/unproven.tsv does not say why"; fi
done <"$work/state"
done_ "$count ids were recomputed"

step "5. The bag has the payload of every version that it is about"
first=
: >"$work/payloads"
while IFS=$tab read -r table version data payload path cut; do
  [ -n "$first" ] || first=$cut
  [ "$cut" = "$first" ] || fail "data/state.tsv: it is about two cuts, $first and $cut"
  case $path in
    "data/datom/$table/$data.parquet" | "data/datom/$table/$data.json") ;;
    *) fail "data/state.tsv: $path is not named after the content of $table" ;;
  esac
  printf '%s  %s\n' "$payload" "$path" >>"$work/payloads"
done <"$work/state"
sort -u "$work/payloads" | comm -23 - "$work/manifest" >"$work/missing"
while IFS= read -r line; do fail "${line#*  }: has not the SHA-256 that data/state.tsv gives it"; done <"$work/missing"
[ -s "$work/state" ] || fail "data/state.tsv: names no table"
if [ "${first:--}" = - ]; then said "     it is about no cut, but about these versions:"
else said "     it is about the cut $first, as these versions:"; fi
while IFS=$tab read -r table version rest; do said "     $table $version"; done <"$work/state"
done_ "$(sort -u "$work/payloads" | wc -l | tr -d ' ') payloads are those that data/state.tsv names"

# line readers of documents in the layout in which they lie: two blanks of indent, one value per line.

# cut_in FILE CUT: the versions that the cut stands for, as lines "table TAB version".
cut_in() {
  where=
  newest=
  while IFS= read -r line; do
    case $where in
      '') [ "$line" != '  "cuts": {' ] || where=cuts ;;
      cuts) case $line in "    \"$2\": {") where=cut ;; '  }'*) break ;; esac ;;
      cut)
        case $line in
          '        "'*'": [') name=${line#'        "'}; name=${name%'": ['}; newest=1 ;;
          '            "version": "'*)
            [ -z "$newest" ] || { id=${line#*: \"}; printf '%s\t%s\n' "$name" "${id%%\"*}"; newest=; } ;;
          '    }'*) break ;;
        esac ;;
    esac
  done <"$1"
}

# entry_in FILE VERSION: data_sha and payload_sha that the history has for the version ("-": none recorded).
entry_in() {
  while IFS= read -r line; do
    value=${line#*: \"}
    value=${value%%\"*}
    case $line in
      '  {') id=; sha=-; bytes=- ;;
      '    "version": "'*) id=$value ;;
      '    "data_sha": "'*) sha=$value ;;
      '    "parquet_sha": "'* | '    "document_sha": "'*) bytes=$value ;;
      '  }'*) [ "$id" != "$2" ] || { printf '%s %s\n' "$sha" "$bytes"; return; } ;;
    esac
  done <"$1"
}

# record_in FILE ID: what cuts.json says of an approval or withdrawal, as one line.
record_in() {
  inside=
  while IFS= read -r line; do
    case $inside$line in
      '  "approvals": ['*) inside=1 ;;
      '1    {') text= ;;
      '1    }'*) case $text in '      "id": "'"$2"'"'*) printf '%s\n' "$text"; return ;; esac ;;
      '1  ]'*) return ;;
      1*) text=$text$line ;;
    esac
  done <"$1"
}

# document COMMIT PATH FILE: a document of a commit into FILE; of storage, where there is no history.
document() {
  if [ -n "$1" ]; then
    history_ cat-file blob "$1:$2" >"$3" 2>/dev/null
  else
    case $2 in .datom/*) stored=data/datom/.metadata/${2#*/} ;; *) stored=data/datom/${2%/*}/.metadata/${2##*/} ;; esac
    cat -- "$stored" >"$3" 2>/dev/null
  fi
}

# follow COMMIT REPORT: from the cut to the versions to the payloads, as the documents of the commit have it.
follow() {
  said_by=$([ -n "$1" ] && echo "git at $1" || echo "storage")
  IFS=$tab read -r table version data payload path cut <"$work/state"
  if [ "${cut:--}" != - ]; then
    if document "$1" .datom/cuts.json "$work/cuts"; then cut_in "$work/cuts" "$cut" | sort >"$work/held"
    else : >"$work/held"; fi
    cut -f 1,2 "$work/state" | sort | comm -3 - "$work/held" >"$work/differs"
    while IFS=$tab read -r table version rest; do
      $2 "data/state.tsv: the cut $cut stands for other versions in .datom/cuts.json of $said_by: $table$version$rest"
    done <"$work/differs"
  fi
  while IFS=$tab read -r table version data payload path cut; do
    entry=
    ! document "$1" "$table/version_history.json" "$work/document" || entry=$(entry_in "$work/document" "$version")
    case $entry in
      "$data $payload") ;;
      "$data -") note "$path: $said_by records no SHA-256 of the payload of $table@$version" ;;
      '') $2 "data/state.tsv: $table/version_history.json of $said_by has no version $version" ;;
      *) $2 "data/state.tsv: $table/version_history.json of $said_by has another content or payload for $version" ;;
    esac
  done <"$work/state"
}

if [ -z "$commit" ]; then
  [ ! -e data/history.bundle ] || fail "bag-info.txt: does not say up to which commit data/history.bundle goes"
  [ -z "$given" ] || fail "bag-info.txt: there is no git history that the given signers could have signed"
  note "the bag has no git history: who recorded what is only what storage says, and nothing is signed"
  step "6. From the cut to its versions to their payloads, in the documents of storage"
  follow "" fail
  done_ "storage's documents lead from what the bag is about to its payloads"
else
  step "6. The git history is whole"
  bundle=$PWD/data/history.bundle
  git init --quiet --bare --template= "$work/empty.git" || fail "git: cannot make a repository in $work"
  if git --git-dir="$work/empty.git" bundle verify "$bundle" >"$work/out" 2>&1 &&
    git -c transfer.fsckObjects=true clone --quiet --bare --template= "$bundle" "$repo" >"$work/out" 2>&1; then
    [ "$(history_ rev-parse HEAD)" = "$commit" ] || fail "bag-info.txt: data/history.bundle does not end at $commit"
    git -C "$work/empty.git" bundle list-heads "$bundle" >"$work/heads"
    while read -r sha ref; do
      [ "$sha" = "$commit" ] || fail "data/history.bundle: $ref is at $sha, beside the branch that was handed over"
    done <"$work/heads"
    history_ fsck --full --no-dangling --no-progress >"$work/out" 2>&1 || fail "data/history.bundle: git fsck refuses it"
    [ "$(history_ rev-parse --is-shallow-repository)" = false ] || fail "data/history.bundle: it lacks older commits"
  else
    fail "data/history.bundle: git cannot read it: $(tail -n 1 "$work/out")"
    git init --quiet --bare --template= "$repo"
  fi
  history_ rev-list --topo-order --reverse "$commit" >"$work/commits" 2>/dev/null
  done_ "$(wc -l <"$work/commits" | tr -d ' ') commits, up to $commit, each with the hash that its successor names"

  step "7. The documents in data/git are those of that commit"
  history_ -c core.quotePath=false ls-tree -r "$commit" >"$work/tree" 2>/dev/null
  : >"$work/blobs"
  while IFS=$tab read -r mode path; do
    case $path in
      .datom/* | */metadata.json | */version_history.json | */set.json)
        printf '%s  data/git/%s\n' "${mode##* }" "$path" >>"$work/blobs" ;;
    esac
  done <"$work/tree"
  : >"$work/names"
  while IFS= read -r file; do
    case $file in data/git/*) [ ! -f "$file" ] || printf '%s\n' "$file" >>"$work/names" ;; esac
  done <"$work/payload"
  history_ hash-object --no-filters --stdin-paths <"$work/names" | paste -d '  ' - /dev/null "$work/names" |
    sort >"$work/hashed"
  sort "$work/blobs" | comm -3 - "$work/hashed" | tr -d '\t' >"$work/differs"
  while IFS= read -r line; do
    fail "${line#*  }: is not the document of commit $commit, or only one of both has it"
  done <"$work/differs"
  # Approvals are read from storage's copy, by programs that read the bag as a store.
  if [ -f data/git/.datom/cuts.json ] || [ -f data/datom/.metadata/cuts.json ]; then
    of_git=$(sha256sum <data/git/.datom/cuts.json 2>/dev/null)
    [ "$of_git" = "$(sha256sum <data/datom/.metadata/cuts.json 2>/dev/null)" ] ||
      fail "data/datom/.metadata/cuts.json: is not data/git/.datom/cuts.json"
  fi
  done_ "$(wc -l <"$work/blobs" | tr -d ' ') documents are the commit's"

  step "8. From the cut to its versions to their payloads, in git's documents"
  follow "$commit" fail
  done_ "git's documents lead from what the bag is about to its payloads"

  step "9. Who signed"
  : >"$work/none"
  : >"$work/trailers"
  signed=0
  unsigned=0
  newest=
  listing=" $(history_ rev-list --full-history "$commit" -- ':(top,literal).datom/allowed_signers' | tr '\n' ' ') "
  # signers COMMIT: the list that counts for a commit: the one given; or its parent's, of a merge what all parents have;
  # or else its own.
  signers() {
    list=$work/given
    [ -z "$given" ] || return 0
    list=$work/list
    had=
    : >"$list"
    for parent in $(history_ rev-parse --quiet "$1^@" 2>/dev/null); do
      document "$parent" .datom/allowed_signers "$work/theirs" && found=1 || found=
      sort "$work/theirs" >"$work/sorted"
      if [ -z "${had:-}" ]; then cat "$work/sorted" >"$list"
      else comm -12 "$list" "$work/sorted" >"$work/common"; cat "$work/common" >"$list"; fi
      had=$had-$found
    done
    case $had in *1*) return 0 ;; esac
    document "$1" .datom/allowed_signers "$list" || list=$work/none
  }
  # A change of the list that lies on another branch of the history than a commit is neither before nor after it.
  beside=
  if [ -n "$(history_ rev-list --min-parents=2 -n 1 "$commit" 2>/dev/null)" ]; then
    for change in $listing; do
      history_ rev-list --ancestry-path "$change..$commit" | sort >"$work/after"
      beside="$beside $(history_ rev-list "$commit" "^$change" | sort | comm -23 - "$work/after" | tr '\n' ' ')"
    done
  fi
  beside="$beside "
  lists=0
  # good COMMIT: whether its signature is one that counts; what was said is in $work/out.
  good() { history_ -c gpg.ssh.allowedSignersFile="$list" verify-commit --raw "$1" >"$work/out" 2>&1; }
  while IFS= read -r one; do
    kind=
    part=headers
    approvals=
    made=
    back=
    history_ cat-file commit "$one" >"$work/commit"
    while IFS= read -r line; do
      case $part$line in
        headers) part=message ;;
        'headersparent '*)
          read -r before <"$work/made.${line#* }"
          [ "${back:-0}" -gt "$before" ] || back=$before ;;
        'headerscommitter '*) made=${line% *}; made=${made##* } ;;
        headersgpgsig*SSH*) kind=ssh ;;
        headersgpgsig*) kind=other ;;
        'messageDatom-Approval: '*) approvals="$approvals ${line#*: }" ;;
      esac
    done <"$work/commit"
    printf '%s\n' "$made" >"$work/made.$one"
    case $kind in
      ssh)
        signers "$one"
        if good "$one"; then
          # Whoever may no longer sign could otherwise say that it was done before, or do it on a branch that forked then.
          [ "$made" -ge $((${back:-$made} - 300)) ] ||
            fail "data/history.bundle: commit $one says that it was made more than five minutes before its parent"
          case $beside in *" $one "*)
            fail "data/history.bundle: commit $one is signed beside a change of .datom/allowed_signers, on another branch" ;;
          esac
          signed=$((signed + 1)); newest=$one
          cat "$work/out" >"$work/good.$one"
          for id in $approvals; do printf '%s\n' "$id" >>"$work/trailers"; done
        elif [ "$list" = "$work/none" ]; then
          note "commit $one is signed, and the project had no list of signers then"
        else
          fail "data/history.bundle: commit $one is not signed by a key that is allowed: $(head -n 1 "$work/out")"
        fi ;;
      other) note "commit $one is signed by gpg: check it with git verify-commit $one and the signer's key" ;;
      *) unsigned=$((unsigned + 1)) ;;
    esac
    case $listing in *" $one "*)
      if ! history_ cat-file -e "$one^:.datom/allowed_signers" 2>/dev/null; then
        lists=$((lists + 1))
        [ $lists -eq 1 ] || fail "data/history.bundle: commit $one brings .datom/allowed_signers once more"
        [ -n "$given" ] || note "commit $one brings the list of signers, which nothing before it vouches for. Compare
     the keys in data/git/.datom/allowed_signers with what you know from elsewhere, or give --signers FILE."
      elif [ "$newest" != "$one" ]; then
        fail "data/history.bundle: commit $one changes .datom/allowed_signers, and no allowed key signed it"
      fi ;;
    esac
  done <"$work/commits"
  [ "$unsigned" -eq 0 ] || note "$unsigned commits are not signed: who made them is only what they say"
  if [ -n "$newest" ]; then
    report=note
    [ -z "$given" ] || report=fail
    follow "$newest" $report
    signers "$newest"
    good "$newest"
    said "     newest signature: commit $newest: $(head -n 1 "$work/out")"
  elif [ -n "$given" ]; then
    fail "data/history.bundle: no commit is signed by a key of the list that was given"
  else
    note "nothing is signed: whoever made this bag could have made up its history"
  fi
  [ "$signed" -eq 0 ] || done_ "$signed signed commits, each by a key that was allowed then"

  step "10. What was approved"
  count=0
  document "$commit" .datom/cuts.json "$work/cuts" || : >"$work/cuts"
  if [ -f data/approvals.tsv ]; then
    tail -n +2 data/approvals.tsv >"$work/approvals"
    withdrawn=
    while IFS=$tab read -r id kind rest; do
      [ "$kind" != withdrawal ] || withdrawn=$withdrawn$(cat "data/approvals/$id" 2>/dev/null)
    done <"$work/approvals"
    while IFS=$tab read -r id kind cut meaning email key at by; do
      count=$((count + 1))
      case $by in '' | *[!0-9a-f]*) fail "data/approvals.tsv: $by is no commit"; continue ;; esac
      what="approvals.tsv: the $kind $id ($meaning, cut $cut)"
      if [ -f "data/approvals/$id" ]; then
        sum=$(sha256sum <"data/approvals/$id")
        [ "${sum%% *}" = "$id" ] || fail "data/approvals/$id: its SHA-256 is not the id that it is named after"
      else fail "data/approvals/$id: is not there"; fi
      [ -f "$work/good.$by" ] || { fail "data/$what: the history has no commit $by that an allowed key signed"; continue; }
      read -r signature <"$work/good.$by"
      case $signature in *"$key"*) ;; *) fail "data/$what: commit $by is signed by another key than $key" ;; esac
      who=${signature#*signature for }
      who=${who% with *}
      # A list that somebody gives may name several addresses in a line, or patterns of them.
      allowed=
      while [ -n "$who" ]; do
        case $email in ${who%%,*}) allowed=1 ;; esac
        case $who in *,*) who=${who#*,} ;; *) who= ;; esac
      done
      [ -n "$allowed" ] || fail "data/$what: commit $by is signed by somebody else than $email: $signature"
      document "$by" .datom/cuts.json "$work/brought" || : >"$work/brought"
      brought=$(record_in "$work/brought" "$id")
      [ -n "$brought" ] && [ "$brought" = "$(record_in "$work/cuts" "$id")" ] ||
        fail "data/git/.datom/cuts.json: does not say of $id what commit $by says, which brought it"
      found=
      history_ cat-file commit "$by" >"$work/commit"
      while IFS= read -r line; do [ "$line" != "Datom-Approval: $id" ] || found=1; done <"$work/commit"
      [ -n "$found" ] || fail "data/$what: commit $by does not name it"
      text=$(cat "data/approvals/$id" 2>/dev/null)
      for told in "\"kind\":\"$kind\"" "\"cut\":\"$cut\"" "\"meaning\":\"$meaning\"" "\"email\":\"$email\"" \
        "\"key\":\"$key\"" "\"recorded_at\":\"$at\""; do
        case $text in *"$told"*) ;; *) fail "data/$what: data/approvals/$id does not say $told" ;; esac
      done
      covered=0
      while IFS=$tab read -r table version rest; do
        case $text in *"\"$table\":\"$version\""*) covered=$((covered + 1)) ;; esac
      done <"$work/state"
      if [ "$kind $meaning $cut" = "approval locked $first" ]; then
        case $withdrawn in
          *"\"withdraws\":\"$id\""*) ;;
          *) [ "$covered" -eq "$(wc -l <"$work/state")" ] ||
            fail "data/state.tsv: the cut $cut is locked, by $id, and not for all of these versions" ;;
        esac
      fi
      said "     $kind: $meaning, cut $cut, by $email with $key, $at; it names $covered of the bag's versions"
    done <"$work/approvals"
  fi
  cut -f 1 "$work/approvals" 2>/dev/null | sort >"$work/named"
  sort -u "$work/trailers" | comm -23 - "$work/named" >"$work/missing"
  while IFS= read -r id; do
    fail "data/approvals.tsv: lacks $id, which a signed commit brought; records are withdrawn, never erased"
  done <"$work/missing"
  told=0
  inside=
  while IFS= read -r line; do
    case $line in
      '  "approvals": ['*) inside=1 ;;
      '  ]'*) inside= ;;
      '      "id": "'*) [ -z "$inside" ] || told=$((told + 1)) ;;
    esac
  done <"$work/cuts"
  [ "$told" -eq "$count" ] || fail "data/approvals.tsv: has $count records, .datom/cuts.json of the commit has $told"
  if [ "$count" -eq 0 ]; then printf '     nothing was approved by a signed record\n'
  else done_ "$count approvals and withdrawals, each in a commit that its signer signed"; fi
fi

step "11. The bag's seal"
if [ -f tagmanifest-sha256.txt.sig ]; then
  source=$work/given
  [ -n "$given" ] || source=data/git/.datom/allowed_signers
  # The list is of who may sign in git; who may, may seal, too.
  list=$work/sealers
  while IFS= read -r line || [ -n "$line" ]; do
    for option in ',namespaces="git"' 'namespaces="git",' 'namespaces="git" '; do
      case $line in *"$option"*) line=${line%%"$option"*}${line#*"$option"} ;; esac
    done
    printf '%s\n' "$line"
  done <"$source" >"$list"
  # A signature can be written in several ways; the way in which ssh-keygen writes it counts.
  body=
  while IFS= read -r line; do case $line in -----*) ;; *) body=$body$line ;; esac; done <tagmanifest-sha256.txt.sig
  sum=$({
    echo '-----BEGIN SSH SIGNATURE-----'
    printf '%s' "$body" | base64 -d 2>/dev/null | base64 -w 70
    echo '-----END SSH SIGNATURE-----'
  } | sha256sum)
  [ "$sum" = "$(sha256sum <tagmanifest-sha256.txt.sig)" ] || fail "tagmanifest-sha256.txt.sig: is not as ssh-keygen wrote it"
  who=$(ssh-keygen -Y find-principals -s tagmanifest-sha256.txt.sig -f "$list" 2>/dev/null | head -n 1)
  if [ -n "$who" ] && ssh-keygen -Y verify -f "$list" -I "$who" -n datom-evidence -s tagmanifest-sha256.txt.sig \
    <tagmanifest-sha256.txt >"$work/out" 2>&1; then said "     $(head -n 1 "$work/out")"
  else fail "tagmanifest-sha256.txt.sig: does not seal tagmanifest-sha256.txt by a key that is allowed"; fi
  done_ "tagmanifest-sha256.txt, and with it every file, is as who sealed the bag had it"
elif [ -n "$sealed" ]; then fail "tagmanifest-sha256.txt.sig: is not there, and bag-info.txt says that the bag is sealed"
else note "the bag is not sealed by a signature"; fi
sum=$(sha256sum <tagmanifest-sha256.txt 2>/dev/null)
said "     SHA-256 of tagmanifest-sha256.txt: ${sum%% *}"
said "     It stands for the whole bag: compare it with the one that you were told in another way."

printf '\n== What these tools cannot check\n%s\n' \
"     That a payload holds the content that its name says (the content hash is of the values, not of the bytes), and
     that the documents in data/datom say what the texts in data/ids say. reader.py checks both; it needs python and
     pyarrow:  python reader.py .  Who recorded a version, when and why, is in data/git, which was compared with the
     history; that data/datom tells the same of it is not checked here.
     index.html, copies, changes and lists were made from the rest; that they say the same is not checked here.
     A time stamp of an approval, if there is one: openssl ts -verify checks the token that .datom/cuts.json holds.
     Who holds a key, and that history did not go on after this bag was made: that is between people."
if [ "$failures" -ne 0 ]; then printf '\n%s failures.\n' "$failures"; exit 1; fi
if [ "$notes" -eq 0 ]; then printf '\nNothing is wrong.\n'; else printf '\nNothing is wrong. Read the %s notes.\n' "$notes"; fi
