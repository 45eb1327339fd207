-- What a node's sidecar knows of itself and its peers, for whoever asks the database.
set local role pgbook_owner;

alter table pgbook_data.cluster add column status jsonb;

-- As the sidecar wrote it last, about once a second; no row where this node is alone.
create view pgbook.cluster_status as
select heard_at, status from pgbook_data.cluster;
