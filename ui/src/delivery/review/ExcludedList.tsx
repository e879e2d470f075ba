import { Badge, Button, Heading, HStack, Stack, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Loading } from "~/parts/Loading";
import { Count } from "~/parts/numbers";
import { Pager } from "~/parts/Pager";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import type { Reason, Review } from "./shapes";

const PAGE = 10;

type Props = { review: Review; reason: Reason; onClose: () => void };

/** Who gets no text for one reason, a page at a time, in the order of the audience. */
export function ExcludedList({ review, reason, onClose }: Props) {
  const say = useSay();
  const [after, setAfter] = useState(0);
  const read = useQuery({
    queryKey: ["excluded", review.delivery, review.fingerprint, reason, after],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/deliveries/{delivery_id}/exclusions", {
          params: {
            path: { delivery_id: review.delivery },
            query: { reason, after, limit: PAGE },
          },
        }),
      ),
    enabled: review.archived === null,
  });
  const name = say(`review.reason_${reason}`);
  return (
    <Stack gap={3} borderTopWidth="1px" pt={3}>
      <HStack justify="space-between" wrap="wrap">
        <Heading as="h3" size="sm">
          {name} · <Count value={review.excluded[reason] ?? 0} />
        </Heading>
        <Button size="xs" variant="outline" onClick={onClose}>
          {say("review.close_list")}
        </Button>
      </HStack>
      <Text color="fg.muted">{say(`review.means_${reason}`)}</Text>
      <Details review={review} reason={reason} />
      {review.archived && <Text>{say("review.archived_list")}</Text>}
      {read.error && (
        <Trouble
          error={read.error}
          what={say("review.cannot_list")}
          onRetry={() => read.refetch()}
        />
      )}
      {read.isLoading && <Loading lines={4} />}
      {read.data && <People people={read.data.people} label={name} />}
      {read.data && (
        <Pager
          next={read.data.next}
          isFirst={after === 0}
          onNext={(next) => setAfter(Number(next))}
          onFirst={() => setAfter(0)}
        />
      )}
    </Stack>
  );
}

function Details({ review, reason }: { review: Review; reason: Reason }) {
  const details = review.details.filter((one) => one.reason === reason && one.detail);
  if (details.length === 0) {
    return null;
  }
  return (
    <HStack wrap="wrap" gap={2}>
      {details.map((one) => (
        <Badge key={one.detail} variant="outline" whiteSpace="normal">
          {one.detail.replaceAll("_", " ")} <Count value={one.recipients} />
        </Badge>
      ))}
    </HStack>
  );
}

type PeopleProps = { people: components["schemas"]["ExcludedPerson"][]; label: string };

function People({ people, label }: PeopleProps) {
  const say = useSay();
  if (people.length === 0) {
    return <Text>{say("review.no_more")}</Text>;
  }
  return (
    <ListTable
      label={label}
      columns={["row", "recipient", "phone", "detail"]}
      head={(column) => say(`review.column_${column}`)}
    >
      {people.map((one) => (
        <Table.Row key={one.row_number}>
          <Table.Cell fontVariantNumeric="tabular-nums">
            <Count value={one.row_number} />
          </Table.Cell>
          <Table.Cell overflowWrap="anywhere">{one.recipient_id}</Table.Cell>
          <Table.Cell whiteSpace="nowrap">{one.to_masked ?? "–"}</Table.Cell>
          <Table.Cell overflowWrap="anywhere">
            {one.winner_id === null
              ? one.detail.replaceAll("_", " ")
              : say("review.same_as", { id: one.winner_id })}
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
