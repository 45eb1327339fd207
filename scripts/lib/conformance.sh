# shellcheck shell=bash
# One case after another: run it, compare what came out, say it in one line.

: "${repository:?}" "${missing=0}" "${only=}" "${failed=0}" "${work=}" "${program=}"

readonly gate_case_count=34

# run_case NAME FILE EXPECTED ARGUMENT…: pgbook with the arguments and FILE must print what is in EXPECTED.
run_case() {
    local name=$1 file=$2 expected=$3 output status=0 began
    shift 3
    if [[ $name != *"$only"* ]]; then return 0; fi
    if [[ ! -e $file || ! -e $expected ]]; then
        missing=$((missing + 1))
        return 0
    fi
    output="$work/${name// /_}.out"
    began=$(now_ms)
    run_program "$output" "$@" "$file" || status=$?
    same "$expected" "$output" || status=1
    report_case "$name" "$status" "$(command_count "$file")" "$began" "$output"
}

# run_program OUTPUT ARGUMENT…: its progress is for a terminal; elsewhere what it says goes beside its output.
run_program() {
    local output=$1
    shift
    if [[ -t 2 ]]; then "$program" "$@" </dev/null >"$output"; else "$program" "$@" </dev/null >"$output" 2>"$output.said"; fi
}

# run_gate_cases NAME OPTION…: all of them with these options of replay; % stands for the case's number.
run_gate_cases() {
    local name=$1 folder="$work/gate" gate index=0 status=0 began output="$work/${1// /_}.out"
    shift
    if [[ $name != *"$only"* ]]; then return 0; fi
    began=$(now_ms)
    for gate in "${names[@]}"; do
        index=$((index + 1))
        gate_case "$folder/$gate" "${@//%/$index}" >>"$output" 2>&1 || status=1
    done
    report_case "$name" "$status" "$(cat -- "$folder"/*.csv | command_count -)" "$began" "$output"
}

# gate_case CASE OPTION…: says what is wrong, and fails.
gate_case() {
    local case=$1 reports
    shift
    reports=$("$program" replay --format conformance "$@" "$case.csv" </dev/null 2>"$case.said") || {
        echo "$case: $(tail -n 1 -- "$case.said")"
        return 1
    }
    diff <(echo "$reports") "$case.expected" || {
        echo "$case: its reports differ, above"
        return 1
    }
    if [[ $1 != --market ]]; then return 0; fi
    diff <(final_book "$2") "$case.book" || {
        echo "$case: its final book differs, above"
        return 1
    }
}

# final_book MARKET: side, price and amount of each level, best first, as the public function gives it.
final_book() {
    database "select side || ' ' || price || ' ' || amount from pgbook.agg_book('$1', 1000000)"
}

database() { "$repository/scripts/postgres" psql --dir "$own_cluster_folder" -XAtq -c "$1"; }

# same EXPECTED OUTPUT: also where the last line of just one ends with a line feed.
same() { cmp -s -- "$1" "$2" || cmp -s <(cat -- "$1" && echo) "$2" || cmp -s "$1" <(cat -- "$2" && echo); }

# command_count FILE: its lines, but for comments and a heading.
command_count() { zcat -f -- "$1" | grep -cvE '^(#|seq,|$)'; }

# report_case NAME STATUS COMMANDS BEGAN OUTPUT
report_case() {
    local word=OK elapsed rate
    elapsed=$(($(now_ms) - $4))
    rate=$(($3 * 1000 / (elapsed > 0 ? elapsed : 1)))
    if (($2)); then
        word=FAIL
        failed=$((failed + 1))
    fi
    printf "%-4s  %-42s %'11d commands %6d.%d s %'9d/s\n" "$word" "$1" "$3" $((elapsed / 1000)) $((elapsed % 1000 / 100)) "$rate"
    if [[ $word == FAIL ]]; then say "what came out is in $5"; fi
    if [[ $word == FAIL && -s $5.said ]]; then tail -n 3 -- "$5.said" >&2; fi
}
