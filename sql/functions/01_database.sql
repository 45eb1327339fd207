-- What every role of the server may do in a database unless it is taken from them, and what a reader could use to run its
-- own code as another, or to stop the others. As whoever migrates: these rights are not pgbook_owner's to take.
--
-- The database may hold more than pgbook: a role that needs one of these gets it back by a grant of its own, and the
-- owner of the database keeps them. Those on functions are a superuser's to take; where one of lower rank migrates they
-- stay, and `pgbook doctor` says so.
reset role;
do $$
declare
    taken record;
begin
    for taken in
        -- Types and tables of one's own, in a schema that comes before others unless it is said to come last.
        select pg_catalog.format('temporary on database %I', d.datname) as privilege, d.datdba as owner
        from pg_catalog.pg_database d
        where d.datname = pg_catalog.current_database() and exists (
            select from pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
            where a.grantee = 0 and a.privilege_type = 'TEMPORARY')
        union all
        -- Locks without number, in the memory that holds everybody's: one session can fill it.
        select pg_catalog.format('execute on function %s', p.oid::regprocedure), p.proowner
        from pg_catalog.pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace
          and (p.proname like 'pg\_%advisory%' or p.proname in ('lo_creat', 'lo_create', 'lo_from_bytea'))
          and exists (
            select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
            where a.grantee = 0)
    loop
        if not pg_catalog.pg_has_role(taken.owner, 'usage') then
            continue when taken.privilege like 'execute%';
            raise exception 'role % may not take the right "%" from public, without which one role could run code as another; migrate as a superuser or as the owner of the database',
                current_user, taken.privilege using errcode = 'insufficient_privilege';
        end if;
        execute pg_catalog.format('revoke %s from public', taken.privilege);
        if taken.privilege like 'temporary%' then
            execute pg_catalog.format('grant %s to pgbook_owner, pgbook_node', taken.privilege);
        else
            execute pg_catalog.format('grant %s to pg_database_owner', taken.privilege);
        end if;
    end loop;
end
$$;
