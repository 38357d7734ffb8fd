-- A completion can arrive after the hour of its start was summed: that hour is due again, too. The lateral look-up has a
-- limit, so that it is an index scan whatever the planner knows of the changed rows.
CREATE OR REPLACE FUNCTION mark_dirty_hours() RETURNS trigger LANGUAGE plpgsql AS $$ begin
	-- In the order of hours, so that two statements never wait for each other.
	insert into dirty_hours as known (hour, marks)
		select hour, 1 from (
			select date_trunc('hour', occurred_at, 'UTC') as hour from changed
			union
			select date_trunc('hour', changed.occurred_at, 'UTC') - interval '1 hour' from changed
			cross join lateral (
				select from attempts as begun
				where begun.correlation_id = changed.correlation_id and begun.correlation_id <> ''
					and begun.occurred_at >= changed.occurred_at - interval '10 minutes'
					and begun.occurred_at < date_trunc('hour', changed.occurred_at, 'UTC')
				limit 1
			) as before
			where changed.channel = 'custom-policy' and changed.correlation_id <> '' and lower(changed.step) = 'signincompleted'
				and changed.occurred_at < date_trunc('hour', changed.occurred_at, 'UTC') + interval '10 minutes'
		) as due group by 1 order by 1
		on conflict (hour) do update set marks = known.marks + 1;
	return null;
end $$;
