import { Button, HStack, Link, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { airflowUrl, answerOf, api } from "~/api/client";
import { Section } from "~/parts/Section";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";

/** Take the messages home: masked by a link, with whole numbers by a request that is noted. */
export function Export({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const id = encodeURIComponent(header.delivery);
  const whole = useMutation({
    mutationFn: async () => {
      const file = await answerOf(
        api.POST("/api/v1/deliveries/{delivery_id}/messages.csv", {
          params: { path: { delivery_id: header.delivery } },
          body: { numbers: true, state: [] },
          parseAs: "blob",
        }),
      );
      save(file as unknown as Blob, `${header.delivery}.csv`);
    },
    gcTime: 0,
  });
  return (
    <Section title={say("report.export")}>
      <Text color="fg.muted">{say("report.export_means")}</Text>
      <HStack wrap="wrap" gap={3}>
        <Button asChild size="sm" variant="outline">
          <Link
            href={`${airflowUrl()}smsflow/api/v1/deliveries/${id}/messages.csv`}
            download={`${header.delivery}.csv`}
          >
            {say("report.csv")}
          </Link>
        </Button>
        {header.actions.unmask === null && (
          <>
            <Button
              size="sm"
              variant="outline"
              loading={whole.isPending}
              onClick={() => whole.mutate()}
            >
              {say("report.csv_numbers")}
            </Button>
            <Text color="fg.muted" fontSize="sm">
              {say("report.numbers_noted")}
            </Text>
          </>
        )}
      </HStack>
      <Text color="fg.muted" fontSize="sm">
        {say("report.exporting")}
      </Text>
      {whole.error && <Trouble error={whole.error} what={say("report.cannot_export")} />}
    </Section>
  );
}

function save(file: Blob, name: string) {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
