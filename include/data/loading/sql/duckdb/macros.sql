-- DuckDB macros that convert a cell's text to a value, and explain why it cannot be converted.
-- Times are counted in microseconds; a time outside 1990 to 2100 is rejected, so that a wrong unit is noticed.
create macro as_whole(cell) as
    case when regexp_full_match(trim(cell), '[+-]?[0-9]+(\.0*)?')
         then try_cast(regexp_replace(trim(cell), '\.0*$', '') as bigint) end;
create macro as_small(cell) as try_cast(as_whole(cell) as smallint);
create macro as_middling(cell) as try_cast(as_whole(cell) as integer);
create macro as_number(cell) as try_cast(trim(cell) as double);
create macro as_scaled(cell, factor) as try_cast(trim(cell) as double) * factor;
create macro as_flag(cell) as try_cast(trim(cell) as boolean);
create macro as_text(cell) as case when not contains(cell, chr(0)) then cell end;
create macro as_name(cell) as (md5_number_lower(as_text(cell)) & 9223372036854775807::ubigint)::bigint;
create macro as_list(cell, separator) as
    list_filter(list_transform(case when starts_with(trim(cell), '[') and json_valid(cell) then json_extract_string(cell, '$[*]')
                                    else string_split(cell, separator) end, lambda x: trim(x)), lambda x: x <> '');

create macro is_zoned(cell) as
    regexp_matches(cell, ':[0-9]{2}([.,][0-9]+)?\s*([Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)\s*$');
create macro in_reach(moment) as
    case when moment between timestamptz '1990-01-01 00:00Z' and timestamptz '2099-12-31 23:59:59.999999Z' then moment end;
create macro as_micros(cell, times, parts) as
    coalesce(as_whole(cell)::hugeint * times // parts,
             try_cast(try_cast(trim(cell) as double) * times / parts as hugeint));
create macro as_counted(cell, times, parts, since) as
    case when as_micros(cell, times, parts) + since between 631152000000000 and 4102444799999999
         then make_timestamptz((as_micros(cell, times, parts) + since)::bigint) end;
create macro as_zoned(cell) as case when is_zoned(cell) then in_reach(try_cast(trim(cell) as timestamptz)) end;
create macro as_local(cell, zone) as
    in_reach(case when is_zoned(cell) then try_cast(trim(cell) as timestamptz)
                  else timezone(zone, try_cast(trim(cell) as timestamp)) end);
create macro as_formatted(cell, format, zone) as in_reach(timezone(zone, try_strptime(trim(cell), format)));

create macro quoted(cell) as '"' || left(cell, 40) || '"';
create macro fitting(cell) as
    case when as_counted(cell, 1000000, 1, 0) is not null then 's'
         when as_counted(cell, 1000, 1, 0) is not null then 'ms'
         when as_counted(cell, 1, 1, 0) is not null then 'us'
         when as_counted(cell, 1, 1000, 0) is not null then 'ns'
         when as_zoned(cell) is not null then 'iso'
         when in_reach(try_cast(trim(cell) as timestamp)::timestamptz) is not null then 'iso once you give its zone' end;
create macro why_no_moment(cell, how) as
    quoted(cell) || ' is not a time between 1990 and 2100 as ' || how || coalesce('; it would be one as ' || fitting(cell), '');
create macro why_no_whole(cell) as quoted(cell) || ' is not a whole number that fits';
create macro why_no_number(cell) as quoted(cell) || ' is not a number';
create macro why_no_flag(cell) as quoted(cell) || ' is neither true nor false';
create macro why_no_text(cell) as 'contains a null character';
create macro why_no_value(cell) as quoted(cell) || ' is not among the values';
create macro as_parts(cell, separator) as unnest(as_list(cell, separator));
create macro as_kinds(kind) as unnest(string_split(kind, ','));
