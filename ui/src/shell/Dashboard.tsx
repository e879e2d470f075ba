import { Box, Stack } from "@chakra-ui/react";
import { Navigate, Route, Routes } from "react-router-dom";
import { AudiencePage } from "~/audiences/AudiencePage";
import { AudiencesPage } from "~/audiences/AudiencesPage";
import { DeliveriesPage } from "~/deliveries/DeliveriesPage";
import { DeliveryPage } from "~/delivery/DeliveryPage";
import { GatewaysPage } from "~/gateways/GatewaysPage";
import { OptOutsPage } from "~/opt-outs/OptOutsPage";
import { QuarantinePage } from "~/quarantine/QuarantinePage";
import { SwitchBanner } from "~/switch/SwitchBanner";
import { TemplatePage } from "~/templates/TemplatePage";
import { TemplatesPage } from "~/templates/TemplatesPage";
import { WorkflowPage } from "~/workflows/WorkflowPage";
import { WorkflowsPage } from "~/workflows/WorkflowsPage";
import { Navigation } from "./Navigation";

/** Everything below `/plugin/smsflow`. */
export function Dashboard() {
  return (
    <Stack gap={4} p={{ base: 2, md: 4 }} maxW="90rem" mx="auto">
      <SwitchBanner />
      <Navigation />
      <Box minW={0}>
        <Routes>
          <Route index element={<Navigate to="deliveries" replace />} />
          <Route path="deliveries" element={<DeliveriesPage />} />
          <Route path="deliveries/:deliveryId/*" element={<DeliveryPage />} />
          <Route path="workflows" element={<WorkflowsPage />} />
          <Route path="workflows/:workflowId" element={<WorkflowPage />} />
          <Route path="audiences" element={<AudiencesPage />} />
          <Route path="audiences/:name" element={<AudiencePage />} />
          <Route path="templates" element={<TemplatesPage />} />
          <Route path="templates/:name" element={<TemplatePage />} />
          <Route path="opt-outs" element={<OptOutsPage />} />
          <Route path="quarantine" element={<QuarantinePage />} />
          <Route path="gateways" element={<GatewaysPage />} />
          <Route path="*" element={<Navigate to="deliveries" replace />} />
        </Routes>
      </Box>
    </Stack>
  );
}
